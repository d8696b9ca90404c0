"""How many parameters a stored tensor stands for: packed integers unpacked, scales and other helpers left out."""

from __future__ import annotations

import re

from watcher.architecture.weights.tensors import Tensor

HELPERS = re.compile(
    r"(\.|_)(scales?|qzeros|g_idx|weight_scale(_inv|_2)?|scale_inv|input_scale|output_scale|activation_scale|k_scale|"
    r"v_scale|weight_shape|weight_zero_point|zero_points?|weight_g_idx|weight_global_scale|input_global_scale|absmax|"
    r"quant_map|nested_absmax|nested_quant_map|SCB|weight_format|perm|input_amax|weight_amax)$|\.quant_state\.|"
    r"bitsandbytes__"
)
"""Tensors that only serve to unpack another one."""

BUFFERS = re.compile(
    r"(inv_freq|rotary_emb\.\w+|position_ids|masked_bias|attn\.bias|e_score_correction_bias|num_batches_tracked|"
    r"rope_freqs\.weight|exp_probs_b(\.bias)?)$"
)
"""Tensors that are stored and are no parameters."""

PACKED_32 = ("I32", "U32")
PACKED_8 = ("U8", "F4")
TWO_A_BYTE = re.compile(r"(_blocks|weight_packed)$")


def parameters(tensor: Tensor, method: str, bits: float | int | None) -> int | None:
    """Parameters that a tensor stands for; None when it is packed in a way that is not known.

    `method` and `bits` are the config's quantisation. GPTQ, AWQ, compressed-tensors and MLX pack 32 / bits into a
    32-bit integer; NVFP4, MXFP4 and bitsandbytes' NF4 pack two into a byte.
    """
    if HELPERS.search(tensor.name) or BUFFERS.search(tensor.name):
        return 0
    if method == "mlx" and tensor.name.endswith(".biases"):
        return 0
    if tensor.dtype in PACKED_32 and method:
        return _of_integers(tensor, bits)
    if tensor.dtype in PACKED_8 and (bits == 4 or TWO_A_BYTE.search(tensor.name) or tensor.dtype == "F4"):
        return 2 * tensor.size
    return tensor.size


def _of_integers(tensor: Tensor, bits: float | int | None) -> int | None:
    if not isinstance(bits, (int, float)) or not 0 < bits <= 32:
        return None
    return round(tensor.size * 32 / bits)
