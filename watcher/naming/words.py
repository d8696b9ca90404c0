"""The words that repo names are made of, as tables: a word is taken away from a name by the first row that knows it."""

from __future__ import annotations

import re


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


COPIES = _words("""
    fp4 fp8 fp16 fp32 bf16 f16 f32 bf8 int int2 int3 int4 int8 uint4 nf4 nvfp4 mxfp4 mxfp6 mxfp8 mxint4 e4m3 e5m2
    2bit 3bit 4bit 5bit 6bit 8bit 2bits 3bits 4bits 8bits bit awq gptq gptqmodel gguf ggml exl2 exl3 mlx onnx openvino
    bnb bitsandbytes quantized quantised quant quants qat qad qlora spinquant smoothquant autoround auto round aqlm pv
    hqq eetq marlin vptq quip quark compressed tensors unquantized eo8 w4a16 w8a8 w8a16 w4a8 w4a4 w8a8c8 w4a8c8 tp1 tp2
    tp4 tp8 dynamic static block channel tensor per imatrix imat i1 ud dwq unsloth safetensors transformers hf original
    paddle torch pytorch jax flax keras coreml litert lm task tflite mnn ncnn qnn qualcomm executorch ov trt trtllm
    tensorrt llm ct2 llamafile lmstudio mlc ollama vllm sglang cpu gpu cuda npu hpu gaudi neuron directml web
    accelerator mobile
""")
"""Words for a copy: the same weights, quantised or in another file format."""

AMBIGUOUS_COPIES = _words(
    "auto round dynamic static block channel tensor tensors per int bit task web mobile lm llm cpu gpu "
    "accelerator compressed"
)
"""Copy words that say nothing by themselves: they count only beside a sure one (`fp8-dynamic`)."""

COPY_SHAPES = re.compile(
    r"i?q\d(?:_[a-z0-9]+)*|w\d+a\d+(?:kv\d+|c\d+)?|g\d{2,3}|gs\d+|\d+(?:\.\d+)?(?:bpw|bit|bits)|[iu]?int\d+|fp\d+|bf\d+"
    r"|[a-z]*quant[a-z]*"
)

TUNINGS = _words("""
    base pt pretrain pretrained foundation instruct instruction inst it ift chat dialog think thinking thinker reason
    reasoning reasoner nothink nonthinking non no zero sft dpo apo kto ppo grpo orpo mpo rl rlhf rlvr rft hybrid mix
    mixed aligned tuned finetuned ft stage stage1 stage2 stage3 phase1 phase2 phase3
    checkpoint checkpoints intermediate midtrain midtraining annealed final distill distilled
    distillation student draft drafter assistant eagle eagle3 mtp speculator dflash long longcontext
""")
"""Words for a stage of training or a way of use: another set of weights of the same structure."""

BASES = _words("base pt pretrain pretrained")
"""Those of them that say a model is not tuned yet."""

TUNING_SHAPES = re.compile(r"(?:instruct|chat|sft|dpo|think)\d{1,2}")
"""instruct4: a tuning with its number."""

STAGES = _words("preview exp experimental beta alpha rc rc1 rc2 prerelease nightly")
"""Words for an unfinished version: it and the finished one are told apart unless they come together."""

SIZES = _words("""
    nano pico micro tiny mini small medium large big xl xxl huge giant lite light air flash super ultra plus pro max
    turbo scout maverick behemoth xs s b m l ml
""")
"""Sizes by word. They tell the members of a family apart, as numbers do."""

SIZE_SHAPES = re.compile(
    r"(?:\d+x)?\d+(?:[.p]\d+)?[bt]|\d+(?:\.\d+)?b\d+|a\d+(?:\.\d+)?[bm]|e\d+b|\d+x\d+b|\d+e|\d{2,4}m"
)
"""7b, 0.6b, 1p5b, 8x7b, 30b, a3b, a400m, e4b, 128e, 350m, 1t."""
SIBLINGS = _words("h")
"""Letters that tell siblings of one version apart right after it: `granite-4.0-h-micro`, the hybrid one."""

KINDS_OF_SIZE = _words("moe dense")
"""Words that say of a size what it is the size of, right after it: `109b-moe`."""

CONTEXTS = re.compile(r"(?:ctx)?\d{1,4}k|(?:1|2|4|5|8|10)m|(?:res)?(?:224|336|384|448|896)")
"""Lengths of context (`128k`, `1m`) and sides of pictures (`224`): the same model, prepared for them."""

FAMILIES = re.compile(
    r"(qwen|llama|mistral|mixtral|gemma|phi|gpt|yi|internlm|deepseek|vicuna|olmo|falcon|smollm|qwq|codellama)(?:v?\d+(?:\.\d+)*)?"
)
"""Names of families that others build on: inside a name that begins with another family they name the student."""

VENDORS = _words("meta nvidia google microsoft ibm tencent baidu amd apple intel ai21 nous c4ai")
"""Makers' names that some of their repos begin with and others do not."""

LINES = _words("""
    code coder coding math maths vl vlm vision visual video image images omni audio speech voice music multimodal next
    embed embedding embeddings rerank reranker colbert retriever guard guardian safeguard shield safety prover proof
    theorem search agent agentic reward rm prm orm judge critic translate translation mt asr tts ocr docling doc docs
    medical med bio science sci chem finance legal law robot robotics vla gui ui edit world tool tools function rag
    tokenizer lora adapter moe linear diffusion
""")
"""Words for another line of models: with one more of these, a name is never the same release."""


def is_copy_word(word: str) -> bool:
    """Whether a word names a quantisation or a file format."""
    return word in COPIES or COPY_SHAPES.fullmatch(word) is not None


def is_size(word: str) -> bool:
    """Whether a word is a number of parameters or experts, or a size by word."""
    return word in SIZES or SIZE_SHAPES.fullmatch(word) is not None
