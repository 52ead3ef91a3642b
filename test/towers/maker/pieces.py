"""SentencePiece models trained on the spot, and their tokenizer.json as the families' converters write it."""
import base64
import io
import os
import re
import string
import tempfile

import sentencepiece
from sentencepiece import sentencepiece_model_pb2

SPACE = "\u2581"


def charsmap_rules():
    """A few of NFKC's mappings: the whole table would weigh 300 KB."""
    rules = {chr(0xFEE0 + code): chr(code) for code in range(0x21, 0x7F) if code != 0x7E}
    rules.update(
        {
            "\u3000": " ",
            "\u00a0": " ",
            "\t": " ",
            "\n": " ",
            "\ufb01": "fi",
            "\ufb02": "fl",
            "\u2026": "...",
            "\u00bd": "1\u20442",
        }
    )
    rules.update({"\uff88": "\u30cd", "\uff7a": "\u30b3", "e\u0301": "\u00e9", "o\u0308": "\u00f6"})
    return "".join(
        "%s\t%s\n" % (" ".join("%X" % ord(c) for c in source), " ".join("%X" % ord(c) for c in target))
        for source, target in sorted(rules.items())
    )


def train(lines, **options):
    """A SentencePiece model as its protobuf."""
    model = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        if options.pop("charsmap", False):
            options["normalization_rule_tsv"] = os.path.join(folder, "rules.tsv")
            with open(options["normalization_rule_tsv"], "w") as file:
                file.write(charsmap_rules())
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines),
            model_writer=model,
            hard_vocab_limit=False,
            character_coverage=1.0,
            num_threads=1,
            minloglevel=2,
            **options
        )
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto


def processor(proto):
    """The SentencePiece encoder of a model."""
    return sentencepiece.SentencePieceProcessor(model_proto=proto.SerializeToString())


def added(tokens, **flags):
    """Special tokens in tokenizer.json's form."""
    common = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    return [{"id": at, "content": content, **common, **flags} for content, at in tokens]


def template(before, after):
    """A TemplateProcessing that puts special tokens around the sequence."""
    wrap = lambda tokens: [{"SpecialToken": {"id": content, "type_id": 0}} for content, _ in tokens]
    a, b = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    single = wrap(before) + [a] + wrap(after)
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": single + wrap(before) + [b] + wrap(after),
        "special_tokens": {
            content: {"id": content, "ids": [at], "tokens": [content]} for content, at in before + after
        },
    }


def metaspace(kind_only=False):
    """The pre-tokenizer and decoder of every converted SentencePiece model."""
    return {
        "type": "Metaspace",
        "replacement": SPACE,
        "prepend_scheme": "always",
        **({} if kind_only else {"split": True}),
    }


def precompiled(proto):
    """The model's own table of character mappings."""
    return {
        "type": "Precompiled",
        "precompiled_charsmap": base64.b64encode(proto.normalizer_spec.precompiled_charsmap).decode(),
    }


def replace(regex, content):
    """A Replace normalizer."""
    return {"type": "Replace", "pattern": {"Regex": regex}, "content": content}


class SiglipTokenizer:
    """SigLIP's: a T5 vocabulary, over text without punctuation and in lower case."""

    def __init__(self, lines, size):
        lower = [self.canonical(line) for line in lines]
        self.proto = train(
            lower,
            model_type="unigram",
            vocab_size=size,
            pad_id=0,
            eos_id=1,
            unk_id=2,
            bos_id=-1,
            charsmap=True,
        )
        self.spm, self.end, self.pad = processor(self.proto), 1, 1
        self.size = len(self.proto.pieces)

    @staticmethod
    def canonical(text):
        """What Transformers' SiglipTokenizer does first."""
        text = text.lower().translate(str.maketrans("", "", string.punctuation))
        return re.sub(r"\s+", " ", text).strip()

    def encode(self, text):
        """Token ids with the end token, uncut."""
        return self.spm.encode(self.canonical(text)) + [self.end]

    def files(self, context):
        """tokenizer.json and the files beside it."""
        steps = [
            {"type": "Lowercase"},
            replace("[" + re.escape(string.punctuation) + "]", ""),
            replace(r"\s+", " "),
            {"type": "Strip", "strip_left": True, "strip_right": True},
        ]
        steps += [
            precompiled(self.proto),
            {"type": "Strip", "strip_left": False, "strip_right": True},
            replace(" {2,}", SPACE),
        ]
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added([("<pad>", 0)])
            + added([("</s>", 1), ("<unk>", 2)], lstrip=True, rstrip=True),
            "normalizer": {"type": "Sequence", "normalizers": steps},
            "pre_tokenizer": metaspace(),
            "post_processor": template([], [("</s>", 1)]),
            "decoder": metaspace(),
            "model": {
                "type": "Unigram",
                "unk_id": 2,
                "vocab": [[p.piece, p.score] for p in self.proto.pieces],
                "byte_fallback": False,
            },
        }
        special = {"eos_token": "</s>", "pad_token": "</s>", "unk_token": "<unk>"}
        return {
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": {
                "tokenizer_class": "SiglipTokenizer",
                **special,
                "model_max_length": context,
                "do_lower_case": True,
            },
            "special_tokens_map.json": special,
        }


class XlmTokenizer:
    """XLM-R's: SentencePiece ids moved by one, behind fairseq's four special tokens."""

    def __init__(self, lines, size, splits):
        self.proto = train(
            lines, model_type="unigram", vocab_size=size, unk_id=0, bos_id=1, eos_id=2, charsmap=True
        )
        self.spm, self.start, self.pad, self.end, self.unknown = processor(self.proto), 0, 1, 2, 3
        self.splits, self.size = splits, len(self.proto.pieces) + 2

    def encode(self, text):
        """Token ids with both special tokens, uncut."""
        return [self.start] + [at + 1 if at else self.unknown for at in self.spm.encode(text)] + [self.end]

    def files(self, context):
        """tokenizer.json and the files beside it; older conversions split at spaces where newer ones collapse
        them.
        """
        special = [("<s>", 0), ("<pad>", 1), ("</s>", 2), ("<unk>", 3)]
        vocabulary = (
            [[c, 0.0] for c, _ in special]
            + [[p.piece, p.score] for p in self.proto.pieces[3:]]
            + [["<mask>", 0.0]]
        )
        newer = {
            "type": "Sequence",
            "normalizers": [
                precompiled(self.proto),
                {"type": "Strip", "strip_left": False, "strip_right": True},
                replace(" {2,}", SPACE),
            ],
        }
        older = {
            "type": "Sequence",
            "pretokenizers": [{"type": "WhitespaceSplit"}, {**metaspace(True), "add_prefix_space": True}],
        }
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added(special) + added([("<mask>", self.size - 1)], lstrip=True),
            "normalizer": precompiled(self.proto) if self.splits else newer,
            "pre_tokenizer": older if self.splits else metaspace(),
            "post_processor": template(special[:1], special[2:3]),
            "decoder": metaspace(),
            "model": {"type": "Unigram", "unk_id": 3, "vocab": vocabulary, "byte_fallback": False},
        }
        names = {
            "bos_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "cls_token": "<s>",
            "unk_token": "<unk>",
            "pad_token": "<pad>",
            "mask_token": "<mask>",
        }
        return {
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": {
                "tokenizer_class": "XLMRobertaTokenizer",
                **names,
                "model_max_length": context,
            },
            "special_tokens_map.json": names,
        }


class GemmaTokenizer:
    """Gemma's: BPE with byte fallback, no dummy prefix, every space kept; an end token and no start token."""

    FREE = ["<mask>", "\n", "\n\n"] + [SPACE * count for count in range(2, 9)]

    def __init__(self, lines, size):
        lower = [line.lower() for line in lines]
        self.proto = train(
            lower,
            model_type="bpe",
            vocab_size=size,
            pad_id=0,
            eos_id=1,
            bos_id=2,
            unk_id=3,
            pad_piece="<pad>",
            eos_piece="<eos>",
            bos_piece="<bos>",
            byte_fallback=True,
            split_digits=True,
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
            normalization_rule_name="identity",
            user_defined_symbols=self.FREE,
        )
        self.spm, self.pad, self.end = processor(self.proto), 0, 1
        self.size = len(self.proto.pieces)

    def encode(self, text):
        """Token ids with the end token, uncut; the case is the caller's matter."""
        return self.spm.encode(text) + [self.end]

    def merges(self, ids):
        """The pairs that make each piece, best piece first, as Transformers' conversion finds them."""
        scores = {p.piece: p.score for p in self.proto.pieces if p.type in (1, 4)}
        found = []
        for piece, score in scores.items():
            pairs = [
                (piece[:at], piece[at:])
                for at in range(1, len(piece))
                if piece[:at] in scores and piece[at:] in scores
            ]
            found += [
                (left, right, score)
                for left, right in sorted(pairs, key=lambda pair: (ids[pair[0]], ids[pair[1]]))
            ]
        return [[left, right] for left, right, _ in sorted(found, key=lambda entry: -entry[2])]

    def files(self, context):
        """tokenizer.json and the files beside it."""
        ids = {p.piece: at for at, p in enumerate(self.proto.pieces)}
        special = [("<pad>", 0), ("<eos>", 1), ("<bos>", 2), ("<unk>", 3)]
        free = [(piece, ids[piece]) for piece in self.FREE]
        tokenizer = {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": added(special) + added(free, special=False),
            "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
            "pre_tokenizer": {
                "type": "Split",
                "pattern": {"String": " "},
                "behavior": "MergedWithPrevious",
                "invert": False,
            },
            "post_processor": template([], [("<eos>", 1)]),
            "decoder": {
                "type": "Sequence",
                "decoders": [
                    {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                    {"type": "ByteFallback"},
                    {"type": "Fuse"},
                ],
            },
            "model": {
                "type": "BPE",
                "dropout": None,
                "unk_token": "<unk>",
                "continuing_subword_prefix": None,
                "end_of_word_suffix": None,
                "fuse_unk": True,
                "byte_fallback": True,
                "ignore_merges": False,
                "vocab": ids,
                "merges": self.merges(ids),
            },
        }
        names = {"bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>", "pad_token": "<pad>"}
        return {
            "tokenizer.json": tokenizer,
            "tokenizer_config.json": {
                "tokenizer_class": "GemmaTokenizer",
                **names,
                "padding_side": "right",
                "model_max_length": context,
                "add_bos_token": False,
                "add_eos_token": True,
            },
            "special_tokens_map.json": names,
        }
