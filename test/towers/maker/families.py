"""The packages, one for each kind of interface that people export."""
import string

from PIL import Image

from . import corpus, preprocess
from .clip_bpe import ClipTokenizer
from .nets import ClipText, ClipVision, MaskedText, SiglipText, SiglipVision, seeded
from .package import Package
from .pieces import GemmaTokenizer, SiglipTokenizer, XlmTokenizer
from .preprocess import cropped, immich_offset, round_offset, shortest_immich, squash

BILINEAR, BICUBIC = Image.Resampling.BILINEAR, Image.Resampling.BICUBIC
HALVES = [0.5, 0.5, 0.5]
CLIP_PICTURE = "RGB; shortest side %d (long side truncated), %s; centre crop, %s offset; x/255, %s"
CLIP_TEXT = "NFC, white space collapsed, lower case; byte-level BPE between <|startoftext|> and <|endoftext|>"


def processor(kind, size, resample, mean, std, **rest):
    """A preprocessor_config.json."""
    flags = {
        "do_resize": True,
        "size": size,
        "resample": resample,
        "do_rescale": True,
        "rescale_factor": 1 / 255,
    }
    return {
        "image_processor_type": kind,
        **flags,
        "do_normalize": True,
        "image_mean": mean,
        "image_std": std,
        **rest,
    }


def centre(size):
    """The settings of a centre crop."""
    return {"do_center_crop": True, "crop_size": {"height": size, "width": size}, "do_convert_rgb": True}


def crop_mistakes(size, kernel, offset, resize=preprocess.shortest):
    """The wrong ways that a cropping package must tell from its own."""
    other_offset = preprocess.floor_offset if offset is round_offset else round_offset
    return {
        "squash": squash(size, kernel),
        "another filter": cropped(size, BILINEAR if kernel == BICUBIC else BICUBIC, offset, resize),
        "another rounding of the crop": cropped(size, kernel, other_offset, resize),
    }


def squash_mistakes(size, kernel):
    """The wrong ways that a squashing package must tell from its own."""
    return {
        "crop": cropped(size, kernel),
        "another filter": squash(size, BILINEAR if kernel == BICUBIC else BICUBIC),
    }


def clip_text(tokenizer, width, out, seed):
    """A causal text tower."""
    return seeded(ClipText(tokenizer.size, width, out), seed, [tokenizer.start, tokenizer.end])


def clip_config(tokenizer, out, image, **text):
    """A config.json of model_type clip."""
    return {
        "model_type": "clip",
        "architectures": ["CLIPModel"],
        "projection_dim": out,
        "text_config": {
            "model_type": "clip_text_model",
            "vocab_size": tokenizer.size,
            "max_position_embeddings": 77,
            **text,
        },
        "vision_config": {"model_type": "clip_vision_model", "image_size": image, "patch_size": 8},
    }


def special_ids(tokenizer):
    """The ids that CLIP's text_config names."""
    return {"bos_token_id": tokenizer.start, "eos_token_id": tokenizer.end}


def clip():
    """CLIP as Hugging Face's ONNX exports have it, with the quantized variants."""
    tokenizer = ClipTokenizer(corpus.english(), 120)
    return Package(
        "clip",
        tokenizer,
        seeded(ClipVision(32, 32, 32), 44, contrast=2),
        clip_text(tokenizer, 32, 32, 4),
        outputs=("image_embeds", "text_embeds"),
        variants=True,
        zero_shot={"template": "a photo of a {label}.", "scale": 100},
        prepare=cropped(32, BICUBIC),
        wrong_ways=crop_mistakes(32, BICUBIC, preprocess.floor_offset),
        preprocess=CLIP_PICTURE % (32, "bicubic", "floor", "CLIP's mean and std"),
        tokenize=CLIP_TEXT,
        settings={
            "config.json": clip_config(tokenizer, 32, 32, **special_ids(tokenizer)),
            "preprocessor_config.json": processor(
                "CLIPFeatureExtractor",
                {"shortest_edge": 32},
                3,
                preprocess.CLIP_MEAN,
                preprocess.CLIP_STD,
                feature_extractor_type="CLIPFeatureExtractor",
                **centre(32)
            ),
        },
    )


def mobileclip():
    """MobileCLIP: bilinear, no normalisation."""
    tokenizer = ClipTokenizer(corpus.english(), 110)
    rest = {**centre(40), "do_normalize": False}
    return Package(
        "mobileclip",
        tokenizer,
        seeded(ClipVision(40, 24, 24), 11, contrast=2),
        clip_text(tokenizer, 16, 24, 3),
        outputs=("image_embeds", "text_embeds"),
        size=40,
        mean=[0.0] * 3,
        std=[1.0] * 3,
        prepare=cropped(40, BILINEAR),
        wrong_ways=crop_mistakes(40, BILINEAR, preprocess.floor_offset),
        preprocess=CLIP_PICTURE % (40, "bilinear", "floor", "not normalised"),
        tokenize=CLIP_TEXT,
        settings={
            "config.json": clip_config(tokenizer, 24, 40, **special_ids(tokenizer)),
            "preprocessor_config.json": processor(
                "CLIPFeatureExtractor",
                {"shortest_edge": 40},
                2,
                [0, 0, 0],
                [1, 1, 1],
                feature_extractor_type="CLIPFeatureExtractor",
                **rest
            ),
        },
    )


def siglip():
    """SigLIP as Hugging Face's ONNX exports have it."""
    tokenizer = SiglipTokenizer(corpus.english(), 400)
    scale, bias = 117.330765, -12.932437
    return Package(
        "siglip",
        tokenizer,
        seeded(SiglipVision(32, 24), 29),
        seeded(SiglipText(tokenizer.size, 16, 24), 6),
        outputs=("pooler_output", "pooler_output"),
        context=64,
        pad=64,
        mean=HALVES,
        std=HALVES,
        zero_shot={"template": "This is a photo of {label}.", "scale": scale, "bias": bias},
        prepare=squash(32, BICUBIC),
        wrong_ways=squash_mistakes(32, BICUBIC),
        preprocess="RGB; squashed to 32 x 32, bicubic; x/255, mean 0.5, std 0.5",
        tokenize="lower case, without punctuation, white space collapsed; SentencePiece (unigram), </s>; "
        "padded to 64 with </s>",
        settings={
            "config.json": {
                "model_type": "siglip",
                "architectures": ["SiglipModel"],
                "text_config": {"model_type": "siglip_text_model"},
                "vision_config": {"model_type": "siglip_vision_model", "image_size": 32, "patch_size": 8},
            },
            "preprocessor_config.json": processor(
                "SiglipImageProcessor", {"height": 32, "width": 32}, 3, HALVES, HALVES
            ),
            "semblance.json": {"logit_scale": scale, "logit_bias": bias},
        },
    )


def siglip2():
    """SigLIP 2: Gemma's tokenizer, bilinear."""
    tokenizer = GemmaTokenizer(corpus.english(), 560)
    return Package(
        "siglip2",
        tokenizer,
        seeded(SiglipVision(32, 24), 12, contrast=2),
        seeded(SiglipText(tokenizer.size, 16, 24), 8),
        outputs=("pooler_output", "pooler_output"),
        context=64,
        pad=64,
        mean=HALVES,
        std=HALVES,
        clean=str.lower,
        texts=corpus.ENGLISH + [corpus.UNKNOWN, corpus.LOWERED],
        prepare=squash(32, BILINEAR),
        wrong_ways=squash_mistakes(32, BILINEAR),
        preprocess="RGB; squashed to 32 x 32, bilinear; x/255, mean 0.5, std 0.5",
        tokenize="lower case; SentencePiece (BPE, byte fallback), every space kept, <eos>; "
        "padded to 64 with <pad>",
        settings={
            "config.json": {
                "model_type": "siglip",
                "architectures": ["SiglipModel"],
                "text_config": {"model_type": "siglip_text_model", "vocab_size": tokenizer.size},
                "vision_config": {"model_type": "siglip_vision_model", "image_size": 32, "patch_size": 8},
            },
            "preprocessor_config.json": processor(
                "SiglipImageProcessor", {"height": 32, "width": 32}, 2, HALVES, HALVES, do_convert_rgb=None
            ),
        },
    )


def multilingual():
    """A CLIP image tower beside a masked text tower with XLM-R's tokenizer."""
    tokenizer = XlmTokenizer(corpus.world(), 700, splits=False)
    return Package(
        "multilingual",
        tokenizer,
        seeded(ClipVision(32, 24, 24), 6, contrast=3),
        seeded(MaskedText(tokenizer.size, 16, 24), 10),
        outputs=("image_embeds", "text_embeds"),
        masked=True,
        texts=corpus.LANGUAGES,
        prepare=cropped(32, BICUBIC),
        wrong_ways=crop_mistakes(32, BICUBIC, preprocess.floor_offset),
        preprocess=CLIP_PICTURE % (32, "bicubic", "floor", "CLIP's mean and std"),
        tokenize="SentencePiece (unigram), ids moved by one, between <s> and </s>",
        settings={
            "config.json": clip_config(tokenizer, 24, 32, pad_token_id=1),
            "preprocessor_config.json": processor(
                "CLIPImageProcessor",
                {"shortest_edge": 32},
                3,
                preprocess.CLIP_MEAN,
                preprocess.CLIP_STD,
                **centre(32)
            ),
        },
    )


def preprocess_cfg(mode, mean, std):
    """OpenCLIP's preprocess_cfg."""
    return {
        "size": [32, 32],
        "mode": "RGB",
        "mean": mean,
        "std": std,
        "interpolation": "bicubic",
        "resize_mode": mode,
        "fill_color": 0,
    }


def model_cfg(tokenizer, out):
    """OpenCLIP's model_cfg of a CLIP."""
    return {
        "embed_dim": out,
        "quick_gelu": True,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 24, "patch_size": 8},
        "text_cfg": {
            "context_length": 77,
            "vocab_size": tokenizer.size,
            "width": 16,
            "heads": 2,
            "layers": 1,
        },
    }


def openclip():
    """OpenCLIP's layout, with torchvision's rounding of the crop."""
    tokenizer = ClipTokenizer(corpus.english(), 100)
    return Package(
        "openclip",
        tokenizer,
        seeded(ClipVision(32, 24, 24), 6),
        clip_text(tokenizer, 16, 24, 12),
        outputs=("image_embeds", "text_embeds"),
        zero_shot={"template": "a photo of a {label}.", "scale": 100},
        prepare=cropped(32, BICUBIC, round_offset),
        wrong_ways=crop_mistakes(32, BICUBIC, round_offset),
        preprocess=CLIP_PICTURE % (32, "bicubic", "rounded (halves to even)", "CLIP's mean and std"),
        tokenize=CLIP_TEXT,
        settings={
            "open_clip_config.json": {
                "model_cfg": model_cfg(tokenizer, 24),
                "preprocess_cfg": preprocess_cfg("shortest", preprocess.CLIP_MEAN, preprocess.CLIP_STD),
            }
        },
    )


def collapsed(text):
    """Immich's cleaning of a text."""
    return " ".join(text.split())


def canonical(text):
    """OpenCLIP's `canonicalize`."""
    text = text.replace("_", " ").translate(str.maketrans("", "", string.punctuation)).lower()
    return collapsed(text)


def immich_picture():
    """How Immich prepares pictures for a model that crops."""
    return {
        "prepare": cropped(32, BICUBIC, immich_offset, shortest_immich),
        "wrong_ways": crop_mistakes(32, BICUBIC, immich_offset, shortest_immich),
        "preprocess": CLIP_PICTURE % (32, "bicubic", "floor", "CLIP's mean and std"),
    }


def immich_clip():
    """A CLIP in Immich's layout."""
    tokenizer = ClipTokenizer(corpus.english(), 90)
    return Package(
        "immich-clip",
        tokenizer,
        seeded(ClipVision(32, 24, 24), 6, contrast=2),
        clip_text(tokenizer, 16, 24, 14),
        pad=77,
        clean=collapsed,
        **immich_picture(),
        tokenize="white space collapsed; " + CLIP_TEXT + "; padded to 77 with <|endoftext|>",
        settings={
            "config.json": model_cfg(tokenizer, 24),
            "visual/preprocess_cfg.json": preprocess_cfg(
                "shortest", preprocess.CLIP_MEAN, preprocess.CLIP_STD
            ),
        }
    )


def immich_siglip2():
    """A SigLIP 2 in Immich's layout."""
    tokenizer = GemmaTokenizer([canonical(line) for line in corpus.english()], 540)
    text = {
        "context_length": 64,
        "vocab_size": tokenizer.size,
        "tokenizer_kwargs": {"clean": "canonicalize"},
        "width": 16,
        "heads": 2,
        "layers": 1,
        "no_causal_mask": True,
        "proj_bias": True,
        "pool_type": "last",
    }
    config = {
        "embed_dim": 24,
        "init_logit_bias": -10,
        "custom_text": True,
        "vision_cfg": {
            "image_size": 32,
            "timm_model_name": "vit_tiny_patch8_siglip_32",
            "timm_pool": "map",
            "timm_proj": "none",
        },
        "text_cfg": text,
    }
    return Package(
        "immich-siglip2",
        tokenizer,
        seeded(SiglipVision(32, 24), 2, contrast=2),
        seeded(SiglipText(tokenizer.size, 16, 24), 43),
        context=64,
        pad=64,
        mean=HALVES,
        std=HALVES,
        clean=canonical,
        texts=corpus.ENGLISH + [corpus.UNKNOWN, corpus.LOWERED],
        prepare=squash(32, BICUBIC),
        wrong_ways=squash_mistakes(32, BICUBIC),
        preprocess="RGB; squashed to 32 x 32, bicubic; x/255, mean 0.5, std 0.5",
        tokenize="_ to a space, without punctuation, lower case, white space collapsed; "
        "SentencePiece (BPE, byte fallback), <eos>; padded to 64 with <pad>",
        settings={
            "config.json": config,
            "visual/preprocess_cfg.json": preprocess_cfg("squash", HALVES, HALVES),
        },
    )


def immich_mclip():
    """A multilingual CLIP in Immich's layout: ids and mask of int32."""
    tokenizer = XlmTokenizer(corpus.world(), 700, splits=True)
    return Package(
        "immich-mclip",
        tokenizer,
        seeded(ClipVision(32, 24, 24), 33),
        seeded(MaskedText(tokenizer.size, 16, 24), 18),
        pad=77,
        masked=True,
        clean=collapsed,
        texts=corpus.LANGUAGES,
        **immich_picture(),
        tokenize="white space collapsed; SentencePiece (unigram), ids moved by one, between <s> and </s>; "
        "padded to 77 with <pad>, masked",
        settings={
            "config.json": model_cfg(tokenizer, 24),
            "visual/preprocess_cfg.json": preprocess_cfg(
                "shortest", preprocess.CLIP_MEAN, preprocess.CLIP_STD
            ),
        }
    )


ALL = [clip, mobileclip, siglip, siglip2, multilingual, openclip, immich_clip, immich_siglip2, immich_mclip]
