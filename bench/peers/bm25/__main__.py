"""`bench/peers/words`: bm25s on judged queries, measured as `bowerbird eval --protocol search` measures ours."""

import argparse
import gzip
import json
import math
from pathlib import Path

import bm25s
import Stemmer

DEPTH = 100
# Name, k1, b and kind of the formula; the first is what Lucene's engines do unless told otherwise.
SETTINGS = [("lucene", 1.2, 0.75), ("lucene", 0.9, 0.4), ("robertson", 1.2, 0.75), ("bm25+", 1.2, 0.75)]


def lines(path):
    """The lines of a file, packed by gzip or not."""
    opened = gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8")
    with opened as file:
        yield from (line.rstrip("\n") for line in file if line.strip())


def corpus(folder):
    """Ids and texts (title and text) of all documents."""
    path = next(path for name in ("corpus.jsonl", "corpus.jsonl.gz") if (path := folder / name).exists())
    documents = [json.loads(line) for line in lines(path)]
    ids = [str(document.get("_id", document.get("id"))) for document in documents]
    return ids, [f"{document.get('title', '')} {document.get('text', '')}" for document in documents]


def judged(queries, qrels):
    """Texts and grades of the queries that have an answer."""
    grades = {}
    for line in lines(qrels):
        cells = line.split()
        try:
            grades.setdefault(cells[0], {})[cells[-2]] = float(cells[-1])
        except ValueError:
            continue  # a header
    for line in lines(queries):
        if line.startswith("{"):
            query = json.loads(line)
            name, text = str(query.get("_id", query.get("id"))), query["text"]
        else:
            name, text = line.split("\t", 1)
        if any(grade > 0 for grade in grades.get(name.strip(), {}).values()):
            yield text, grades[name.strip()]


def figures(ranking, grades):
    """nDCG@10, nDCG@20 and recall@100 of one ranking; gains are grades, as ours are."""
    def ndcg(k):
        gain = sum(grades.get(name, 0.0) / math.log2(place + 2) for place, name in enumerate(ranking[:k]))
        best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:k]
        return gain / sum(grade / math.log2(place + 2) for place, grade in enumerate(best))

    wanted = {name for name, grade in grades.items() if grade > 0}
    return ndcg(10), ndcg(20), len(wanted.intersection(ranking[:DEPTH])) / len(wanted)


def main():
    parser = argparse.ArgumentParser(prog="bench/peers/words", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with corpus.jsonl, packed or not")
    parser.add_argument("--queries", type=Path, required=True, help="id, tab, text; or JSON lines")
    parser.add_argument("--qrels", type=Path, required=True, help="query 0 document grade")
    args = parser.parse_args()
    ids, texts = corpus(args.data)
    queries = list(judged(args.queries, args.qrels))
    told = {"stopwords": "en", "stemmer": Stemmer.Stemmer("english"), "show_progress": False}
    documents = bm25s.tokenize(texts, **told)
    asked = bm25s.tokenize([text for text, _ in queries], **told)
    print(f"bm25s {bm25s.__version__}, {len(queries)} queries: nDCG@10, nDCG@20, recall@100")
    for kind, k1, b in SETTINGS:
        engine = bm25s.BM25(k1=k1, b=b, method=kind)
        engine.index(documents, show_progress=False)
        found, _ = engine.retrieve(asked, k=min(DEPTH, len(ids)), show_progress=False)
        each = [figures([ids[at] for at in row], grades) for row, (_, grades) in zip(found, queries)]
        means = "  ".join(f"{sum(column) / len(each):.4f}" for column in zip(*each))
        print(f"{kind:<10} k1 {k1:<4} b {b:<5} {means}")


if __name__ == "__main__":
    main()
