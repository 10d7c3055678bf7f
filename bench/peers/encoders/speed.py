"""Encoders of common sizes with random weights: written for others to read, measured in PyTorch."""

import os
import time

import torch
import transformers

BATCH = 16
TOKENS = 32


def made():
    """BERT-base, and CLIP with ViT-B/32; few words, so that files stay small."""
    transformers.set_seed(1)
    bert = transformers.BertModel(transformers.BertConfig(vocab_size=1000))
    text = {"vocab_size": 1000, "bos_token_id": 1, "eos_token_id": 2}
    clip = transformers.CLIPModel(transformers.CLIPConfig(text_config=text))
    return {"bert": bert.eval(), "clip": clip.eval()}


def rate(run, seconds):
    """How many a second, in runs of `BATCH`; the first run does not count. On one thread a second is one that it
    computed, so that others on the machine matter less."""
    run()
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start, runs = clock(), 0
    while clock() - start < seconds:
        run()
        runs += 1
    return round(runs * BATCH / (clock() - start), 1)


@torch.inference_mode()
def measured(threads, seconds, out):
    """Texts and pictures a second on so many threads."""
    torch.set_num_threads(threads)
    models = made()
    for name, model in models.items():
        model.save_pretrained(os.path.join(out, name))
    ids = torch.tensor([[5 + token * 7 for token in range(TOKENS)]] * BATCH)
    pixels = torch.randn(BATCH, 3, 224, 224)
    bert, clip = models["bert"], models["clip"]
    return {
        "torch": torch.__version__,
        "threads": threads,
        "bert_texts_per_s": rate(lambda: bert(input_ids=ids), seconds),
        "clip_texts_per_s": rate(lambda: clip.get_text_features(input_ids=ids), seconds),
        "clip_pictures_per_s": rate(lambda: clip.get_image_features(pixel_values=pixels), seconds),
    }
