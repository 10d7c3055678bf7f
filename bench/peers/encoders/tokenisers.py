"""Small tokenisers of the kinds that published encoders come with."""

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

TEXTS = [
    "A brass lamp on a walnut desk, beside an open book.",
    "Blue men shirt with long sleeves and a button-down collar",
    "How to bake sourdough bread at home: flour, water, salt and time",
    "Small garden ideas for balconies and terraces in the city",
    "Running shoes, red and white, for women",
    "Mid-century living room with a green velvet sofa",
    "The quick brown fox jumps over the lazy dog",
    "Watercolour painting of mountains and a lake at dawn",
    "Knitted scarf pattern for beginners; easy and warm",
    "Tattoo design: a swallow with a compass",
    "Crème brûlée, café au lait and other desserts from Paris",
]


def bert():
    """WordPiece."""
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    made.train_from_iterator(TEXTS, trainers.WordPieceTrainer(vocab_size=160, special_tokens=special, show_progress=False))
    ends = [(name, made.token_to_id(name)) for name in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=ends
    )
    return made, {"pad_token": "[PAD]"}


def roberta():
    """BPE on bytes."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=340, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    made.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return made, {"pad_token": "<pad>"}


def clip():
    """BPE on bytes, with marked ends of words."""
    made = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    made.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    words = Regex(r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(words, behavior="removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=620,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix="</w>",
        show_progress=False,
    )
    made.train_from_iterator(TEXTS, trainer)
    # The ends come last, as published: the end has the highest number.
    made.add_special_tokens(["<|startoftext|>", "<|endoftext|>"])
    start, end = (made.token_to_id(name) for name in ("<|startoftext|>", "<|endoftext|>"))
    made.post_processor = processors.RobertaProcessing(
        ("<|endoftext|>", end), ("<|startoftext|>", start), trim_offsets=False, add_prefix_space=False
    )
    return made, {"pad_token": {"content": "<|endoftext|>", "special": True}}


def unigram(special, ends):
    """Unigram pieces, words marked by what stands before them."""
    made = Tokenizer(models.Unigram())
    made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=150, special_tokens=special, unk_token="<unk>", show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    marked = [(name, made.token_to_id(name)) for name in ("<s>", "</s>") if name in ends]
    made.post_processor = processors.TemplateProcessing(single=ends, special_tokens=marked)
    return made


def xlm_roberta():
    """Unigram pieces between both ends."""
    return unigram(["<s>", "<pad>", "</s>", "<unk>"], "<s> $A </s>"), {"pad_token": "<pad>"}


def siglip():
    """Unigram pieces with an end, filled up with more of it."""
    return unigram(["<unk>", "</s>"], "$A </s>"), {"pad_token": "</s>"}
