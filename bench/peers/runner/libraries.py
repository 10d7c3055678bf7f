"""The Python packages behind one shape: build, save, load, search.

A library's `search(k, settings, chosen)` returns a function from one query (float32, contiguous) to ids, best first.
`chosen` is None or a `Filter`; a library filters by its own means or says that it cannot. `call()` returns the cheapest
search through the same binding, over 64 vectors: its cost is what the binding itself takes of every query.
"""

from dataclasses import dataclass

import numpy as np


@dataclass
class Filter:
    """One bit and one bool a vector, both saying which vectors pass."""

    bits: np.ndarray
    mask: np.ndarray


def near_root(vectors):
    """The power of two nearest to the square root: how many lists the inverted files get (1,024 for a million)."""
    return 1 << round(np.log2(max(vectors, 4)) / 2)


class Faiss:
    """faiss-cpu through `index_factory`; `{lists}` in the factory string is filled in."""

    def __init__(self, build):
        import faiss

        faiss.omp_set_num_threads(1)
        self.faiss, self.params, self.index = faiss, build, None

    def build(self, vectors):
        lists = near_root(len(vectors))
        factory = self.params["factory"].format(lists=lists)
        self.index = self.faiss.index_factory(vectors.shape[1], factory, self.faiss.METRIC_INNER_PRODUCT)
        self.index.train(vectors)
        self.index.add(vectors)

    def save(self, folder):
        self.faiss.write_index(self.index, str(folder / "index.faiss"))

    def load(self, folder, _vectors):
        self.index = self.faiss.read_index(str(folder / "index.faiss"))

    def search(self, k, settings, chosen):
        faiss, extra = self.faiss, {}
        if chosen:
            extra["sel"] = faiss.IDSelectorBitmap(chosen.bits)
        if "ef" in settings:
            params = faiss.SearchParametersHNSW(efSearch=settings["ef"], **extra)
        else:
            params = faiss.SearchParametersIVF(nprobe=settings["nprobe"], **extra)
        if "refine" in settings:
            params = faiss.IndexRefineSearchParameters(k_factor=settings["refine"], base_index_params=params)
        index = self.index
        return lambda query: index.search(query[None], k, params=params)[1][0]

    def call(self, vectors):
        tiny = self.faiss.IndexFlatIP(vectors.shape[1])
        tiny.add(vectors[:64])
        return lambda query: tiny.search(query[None], 1)


class Hnswlib:
    """hnswlib; its filter is a Python function called for every vector that is met."""

    def __init__(self, build):
        self.params, self.index = build, None

    def build(self, vectors):
        self.index = self._new(vectors, self.params["m"], self.params["ef"])

    def save(self, folder):
        self.index.save_index(str(folder / "index.hnsw"))

    def load(self, folder, vectors):
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.meta["dimensions"])
        self.index.load_index(str(folder / "index.hnsw"))
        self.index.set_num_threads(1)

    def search(self, k, settings, chosen):
        index = self.index
        index.set_ef(settings["ef"])
        if not chosen:
            return lambda query: index.knn_query(query, k, num_threads=1)[0][0]
        passes = chosen.mask.tolist().__getitem__

        def filtered(query):
            try:
                return index.knn_query(query, k, num_threads=1, filter=passes)[0][0]
            except RuntimeError:  # It found fewer than k and returns none of them.
                return []

        return filtered

    def call(self, vectors):
        tiny = self._new(vectors[:64], 4, 8)
        return lambda query: tiny.knn_query(query, 1, num_threads=1)

    def _new(self, vectors, m, ef):
        import hnswlib

        index = hnswlib.Index("ip", vectors.shape[1])
        index.init_index(len(vectors), ef_construction=ef, M=m, random_seed=42)
        index.set_num_threads(1)
        index.add_items(vectors, num_threads=1)
        return index


class Scann:
    """ScaNN: a tree of leaves, 4-bit codes scored in registers, float32 re-ranking. It has no filters."""

    def __init__(self, build):
        self.params, self.index = build, None

    def build(self, vectors):
        from scann import scann_ops_pybind as scann

        tree = scann.builder(vectors, 1000, "dot_product").set_n_training_threads(1)
        tree = tree.tree(near_root(len(vectors)), 100, training_sample_size=min(len(vectors), 250_000))
        coded = tree.score_ah(2, anisotropic_quantization_threshold=self.params["anisotropic"])
        self.index = coded.reorder(1000).build()

    def save(self, folder):
        self.index.serialize(str(folder))

    def load(self, folder, _vectors):
        from scann import scann_ops_pybind as scann

        self.index = scann.load_searcher(str(folder))
        self.index.set_num_threads(1)

    def search(self, k, settings, chosen):
        if chosen:
            raise NotImplementedError("ScaNN's Python package has no filters")
        search, leaves, reorder = self.index.search, settings["leaves"], max(k, settings["reorder"])
        return lambda query: search(query, k, reorder, leaves)[0]

    def call(self, vectors):
        from scann import scann_ops_pybind as scann

        tiny = scann.builder(vectors[:64], 1, "dot_product").score_brute_force().build()
        return lambda query: tiny.search(query, 1)


LIBRARIES = {"faiss": Faiss, "hnswlib": Hnswlib, "scann": Scann}
