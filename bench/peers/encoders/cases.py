"""Small encoders of each kind: configuration, tokeniser, what the reference makes of texts and pictures."""

import json
from importlib.metadata import version

import numpy as np
import torch
import transformers
from PIL import Image

from . import formula, tokenisers

TEXTS = [
    "A brass lamp",
    "blue shirt",
    "Crème brûlée, café & more - 24 recipes!",
    "Knitted scarf pattern for beginners; easy and warm, with a long text behind it that does not fit any more at all",
    "lamp 灯 ☂",
]
# Width, height.
PICTURES = [(50, 37), (20, 64), (32, 32), (301, 90)]

SMALL = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4}
BERT = {**SMALL, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
MEAN = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
FIRST = {"word_embedding_dimension": 32, "pooling_mode_mean_tokens": False, "pooling_mode_cls_token": True}
PIXELS = {"do_resize": True, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
CLIP_PIXELS = {
    **PIXELS,
    "size": {"shortest_edge": 32},
    "resample": 3,
    "do_center_crop": True,
    "crop_size": {"height": 32, "width": 32},
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}
SIGLIP_PIXELS = {
    **PIXELS,
    "size": {"height": 36, "width": 36},
    "resample": 2,
    "image_mean": [0.5] * 3,
    "image_std": [0.5] * 3,
}


def words_only(kind, model, tokeniser, config, pooling):
    """BERT and its kin."""
    made, told = tokeniser
    config = {"model_type": kind, "vocab_size": made.get_vocab_size(), **config}
    files = {"config.json": config, "tokenizer_config.json": told}
    if pooling:
        modules = [("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")]
        files["modules.json"] = [
            {"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{name}"}
            for i, (name, path) in enumerate(modules)
        ]
        files["1_Pooling/config.json"] = pooling
    settings = {name: value for name, value in config.items() if name != "model_type"}
    return model(getattr(transformers, model.config_class.__name__)(**settings)), made, files


def paired(kind, model, tokeniser, config, pixels):
    """CLIP and SigLIP."""
    made, told = tokeniser
    config["text_config"]["vocab_size"] = made.get_vocab_size()
    files = {
        "config.json": {"model_type": kind, **config},
        "tokenizer_config.json": told,
        "preprocessor_config.json": pixels,
    }
    return model(model.config_class(**config)), made, files


def clip(end):
    """CLIP; where it is asked for, with a right number of the end."""
    text = {**SMALL, "max_position_embeddings": 16, "eos_token_id": 2, "hidden_act": "quick_gelu"}
    tokeniser = tokenisers.clip()
    text["bos_token_id"] = tokeniser[0].token_to_id("<|startoftext|>")
    if end:
        text["eos_token_id"] = tokeniser[0].token_to_id("<|endoftext|>")
    vision = {**SMALL, "image_size": 32, "patch_size": 8, "hidden_act": "quick_gelu"}
    config = {"projection_dim": 24, "text_config": text, "vision_config": vision}
    return paired("clip", transformers.CLIPModel, tokeniser, config, CLIP_PIXELS)


def siglip():
    """SigLIP, with sides that the patches do not fill."""
    text = {**SMALL, "max_position_embeddings": 16, "projection_size": 32, "bos_token_id": 0, "eos_token_id": 1}
    vision = {**SMALL, "image_size": 36, "patch_size": 8}
    config = {"text_config": text, "vision_config": vision}
    return paired("siglip", transformers.SiglipModel, tokenisers.siglip(), config, SIGLIP_PIXELS)


def distilbert():
    """DistilBERT, which names its shape otherwise."""
    config = {"dim": 32, "hidden_dim": 48, "n_layers": 2, "n_heads": 4, "max_position_embeddings": 24}
    return words_only("distilbert", transformers.DistilBertModel, tokenisers.bert(), config, None)


CASES = {
    "bert": lambda: words_only(
        "bert", transformers.BertModel, tokenisers.bert(), {**BERT, "max_position_embeddings": 24}, FIRST
    ),
    "distilbert": distilbert,
    "roberta": lambda: words_only(
        "roberta",
        transformers.RobertaModel,
        tokenisers.roberta(),
        {**BERT, "max_position_embeddings": 26, "type_vocab_size": 1, "pad_token_id": 1, "layer_norm_eps": 1e-5},
        MEAN,
    ),
    "xlm-roberta": lambda: words_only(
        "xlm-roberta",
        transformers.XLMRobertaModel,
        tokenisers.xlm_roberta(),
        {**BERT, "max_position_embeddings": 26, "type_vocab_size": 1, "pad_token_id": 1, "hidden_act": "gelu_new"},
        MEAN,
    ),
    "clip": lambda: clip(end=False),
    "clip-end": lambda: clip(end=True),
    "siglip": siglip,
}


def tokens_of(model, made, files, kind):
    """The numbers of the texts' tokens, and which of them fill up."""
    config = files["config.json"]
    longest = config.get("text_config", config)["max_position_embeddings"]
    if kind in ("roberta", "xlm-roberta"):
        longest -= config["pad_token_id"] + 1
    made.enable_truncation(longest)
    pad = files["tokenizer_config.json"]["pad_token"]
    pad = pad if isinstance(pad, str) else pad["content"]
    length = longest if kind == "siglip" else None
    made.enable_padding(pad_id=made.token_to_id(pad), pad_token=pad, length=length)
    batch = made.encode_batch(TEXTS)
    made.no_padding()
    made.no_truncation()
    ids = torch.tensor([text.ids for text in batch])
    return ids, torch.tensor([text.attention_mask for text in batch])


def text_vectors(model, kind, files, ids, mask):
    """What the reference makes of texts."""
    if kind.startswith("clip"):
        out = model.get_text_features(input_ids=ids, attention_mask=mask)
        return getattr(out, "pooler_output", out)
    if kind == "siglip":
        out = model.get_text_features(input_ids=ids)
        return getattr(out, "pooler_output", out)
    rows = model(input_ids=ids, attention_mask=mask).last_hidden_state
    if files.get("1_Pooling/config.json", MEAN)["pooling_mode_cls_token"]:
        return rows[:, 0]
    return (rows * mask[:, :, None]).sum(1) / mask.sum(1)[:, None]


def pictures(model, kind, files):
    """What the reference makes of pictures, and some of the pixels that it reads."""
    if "preprocessor_config.json" not in files:
        return []
    reader = transformers.SiglipImageProcessorPil if kind == "siglip" else transformers.CLIPImageProcessorPil
    reader = reader(**files["preprocessor_config.json"])
    told = []
    for number, (width, height) in enumerate(PICTURES):
        picture = Image.fromarray(formula.picture(width, height, number))
        pixels = torch.tensor(np.array(reader(picture)["pixel_values"]), dtype=torch.float32)
        out = model.get_image_features(pixel_values=pixels)
        told.append(
            {
                "size": [width, height],
                "pixels": rounded(pixels.flatten()[::97]),
                "vector": rounded(getattr(out, "pooler_output", out)[0]),
            }
        )
    return told


def rounded(values):
    """Numbers of seven places."""
    return [round(float(value), 7) for value in values]


@torch.no_grad()
def case(name, seed):
    """A kind of encoder as a table: files, tensors, texts, pictures."""
    model, made, files = CASES[name]()
    kind = files["config.json"]["model_type"]
    model.eval()
    state = {name: torch.from_numpy(formula.tensor(name, tuple(v.shape), seed)) for name, v in model.state_dict().items()}
    model.load_state_dict(state)
    ids, mask = tokens_of(model, made, files, kind)
    vectors = text_vectors(model, kind, files, ids, mask)
    lengths = mask.sum(1).tolist() if kind != "siglip" else [ids.shape[1]] * len(TEXTS)
    files["tokenizer.json"] = json.loads(made.to_str())
    return {
        "made_with": {name: version(name) for name in ("torch", "transformers", "tokenizers", "pillow")},
        "seed": seed,
        "tensors": {name: list(values.shape) for name, values in state.items()},
        "texts": [
            {"text": text, "tokens": tokens[:length].tolist(), "vector": rounded(vector)}
            for text, tokens, length, vector in zip(TEXTS, ids, lengths, vectors)
        ],
        "pictures": pictures(model, kind, files),
        "files": files,
    }
