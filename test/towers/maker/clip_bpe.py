"""CLIP's byte-level BPE: a training of a few merges, the reference encoder and its tokenizer.json."""
import collections
import unicodedata

CONTRACTIONS = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"]
START, END = "<|startoftext|>", "<|endoftext|>"


def byte_letters():
    """GPT-2's printable letter for each byte, in CLIP's order."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    letters = {byte: chr(byte) for byte in plain}
    for byte in range(256):
        if byte not in letters:
            letters[byte] = chr(256 + len(letters) - len(plain))
    return letters


def clean(text):
    """What comes before the split: NFC, single spaces, lower case."""
    return " ".join(unicodedata.normalize("NFC", text).split()).lower()


def kind(letter):
    """The class of a character in CLIP's pattern."""
    if letter.isspace():
        return "space"
    return {"L": "letter", "N": "number"}.get(unicodedata.category(letter)[0], "other")


def words(text):
    """The words of CLIP's pattern: contractions, runs of letters, single digits, runs of anything else."""
    at = 0
    while at < len(text):
        end = at + 1
        contraction = next((c for c in CONTRACTIONS if text.startswith(c, at)), None)
        if contraction:
            end = at + len(contraction)
        elif kind(text[at]) in ("letter", "other"):
            while end < len(text) and kind(text[end]) == kind(text[at]):
                end += 1
        if kind(text[at]) != "space":
            yield text[at:end]
        at = end


def merge(symbols, pair):
    """Joins each occurrence of a pair, from the left."""
    out, at = [], 0
    while at < len(symbols):
        joined = tuple(symbols[at : at + 2]) == pair
        out.append(symbols[at] + symbols[at + 1] if joined else symbols[at])
        at += 2 if joined else 1
    return out


class ClipTokenizer:
    """The reference tokenizer of CLIP, with few merges."""

    def __init__(self, lines, merges):
        self.letters = byte_letters()
        self.merges = self.train(lines, merges)
        alphabet = list(self.letters.values())
        tokens = (
            alphabet
            + [letter + "</w>" for letter in alphabet]
            + ["".join(pair) for pair in self.merges]
            + [START, END]
        )
        self.vocabulary = {token: at for at, token in enumerate(tokens)}
        self.start, self.end = self.vocabulary[START], self.vocabulary[END]
        self.pad, self.size = self.end, len(tokens)

    def spell(self, word):
        """A word as byte letters, the last of which ends it."""
        symbols = [self.letters[byte] for byte in word.encode()]
        return symbols[:-1] + [symbols[-1] + "</w>"]

    def train(self, lines, count):
        """The most frequent pairs, ties broken by their spelling."""
        spelt = collections.Counter(word for line in lines for word in words(clean(line)))
        spelt = [(self.spell(word), times) for word, times in sorted(spelt.items())]
        merges = []
        for _ in range(count):
            pairs = collections.Counter()
            for symbols, times in spelt:
                for pair in zip(symbols, symbols[1:]):
                    pairs[pair] += times
            best = max(sorted(pairs), key=pairs.get)
            merges.append(best)
            spelt = [(merge(symbols, best), times) for symbols, times in spelt]
        return merges

    def word(self, word):
        """The tokens of one word: merges in their order of rank."""
        symbols, ranks = self.spell(word), {pair: at for at, pair in enumerate(self.merges)}
        while True:
            pairs = [pair for pair in zip(symbols, symbols[1:]) if pair in ranks]
            if not pairs:
                return symbols
            symbols = merge(symbols, min(pairs, key=ranks.get))

    def encode(self, text):
        """Token ids with both special tokens, uncut."""
        return (
            [self.start]
            + [self.vocabulary[s] for word in words(clean(text)) for s in self.word(word)]
            + [self.end]
        )

    def files(self, context):
        """tokenizer.json and the files beside it."""
        added = [
            {
                "id": i,
                "content": c,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": c == START,
                "special": True,
            }
            for c, i in ((START, self.start), (END, self.end))
        ]
        pattern = "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"
        level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
        model = {
            "type": "BPE",
            "dropout": None,
            "unk_token": END,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>",
            "fuse_unk": False,
            "byte_fallback": False,
        }
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added,
            "normalizer": {
                "type": "Sequence",
                "normalizers": [
                    {"type": "NFC"},
                    {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "},
                    {"type": "Lowercase"},
                ],
            },
            "pre_tokenizer": {
                "type": "Sequence",
                "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Removed", "invert": True},
                    level,
                ],
            },
            "post_processor": {
                "type": "RobertaProcessing",
                "sep": [END, self.end],
                "cls": [START, self.start],
                "trim_offsets": False,
                "add_prefix_space": False,
            },
            "decoder": {**level, "add_prefix_space": True},
            "model": {**model, "vocab": self.vocabulary, "merges": [" ".join(pair) for pair in self.merges]},
        }
        special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
        config = {
            "tokenizer_class": "CLIPTokenizer",
            **special,
            "model_max_length": context,
            "do_lower_case": True,
            "add_prefix_space": False,
        }
        return {
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": config,
            "special_tokens_map.json": special,
        }
