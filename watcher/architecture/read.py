"""The files of one repo at one revision → Architecture: the one door of this room.

Witnesses are believed fact by fact: the config for what it says; the implementation (`families`, made from the
reference) for what only code tells; the Hub and the card for licence; file sizes for what is published. What none tells
is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from watcher.architecture import cache, parameters
from watcher.architecture.config import Absent, Config
from watcher.architecture.families import PARTIAL_ROTARY, default_source, known_keys
from watcher.architecture.irrelevant import irrelevant
from watcher.architecture.jsonsafe import Unreadable, as_mapping, load_object
from watcher.architecture.record import (
    Architecture,
    Attention,
    Disagreement,
    Evidence,
    FeedForward,
    KvCache,
    LayerKind,
    Layers,
    Memory,
    MixEntry,
    Mla,
    Model,
    Moe,
    Norm,
    Novel,
    Parameters,
    Position,
    Quantization,
    Residual,
    SparseAttention,
    Tower,
    Unknown,
)
from watcher.architecture.sequence import shorten
from watcher.architecture.stack import Layer, is_mla, read_layers
from watcher.architecture.witness import RepoFiles

READER_VERSION = "1"
"""Raised when the same files give another record: what was read before is then read again."""

T = TypeVar("T")
CONFIGS = ("config.json", "params.json")
RECURRENT = frozenset("gated-deltanet kda mamba2 mamba lightning mlstm slstm short-conv rwkv rglru linear".split())
HALVES = frozenset({"moe", "ffn"})
ATTENTION_FACTS = ("qk_norm", "gate", "sinks", "rope")

TOWERS = (
    ("vision_config", "image"),
    ("vision_tower_config", "image"),
    ("visual", "image"),
    ("audio_config", "audio"),
    ("audio_encoder_config", "audio"),
    ("speech_config", "audio"),
)


def raw_config(files: RepoFiles) -> tuple[dict[str, Any] | None, str | None, str | None]:
    """(config, its file name, problem): config.json, else params.json; None and a clause when it cannot be read."""
    for name in CONFIGS:
        if name in files.files:
            try:
                return load_object(files.files[name]), name, None
            except Unreadable as error:
                return None, name, f"{name} {error}"
    return None, None, "there is no config.json"


def read(files: RepoFiles, *, reference: object = None) -> Architecture:
    """Everything these files tell, with evidence; what they do not tell is listed as unknown, with the reason."""
    raw, name, problem = raw_config(files)
    if raw is None or name is None:
        return _nothing(files, problem or "there is no config.json")
    return _Reader(files, Config(raw, name)).read()


def _nothing(files: RepoFiles, why: str) -> Architecture:
    if files.hub.get("gated"):
        why = "gated"
    stored = files.hub.get("stored_parameters")
    count = stored if isinstance(stored, int) and stored > 0 else None
    evidence = {"parameters.stored": Evidence(witness="hub", where="safetensors.parameters")} if count else {}
    return Architecture(
        model=Model(id=files.name, revision=files.revision, license=_text(files.hub.get("license"))),
        parameters=Parameters(stored=count, vision=None, audio=None),
        mtp_layers=None,
        evidence=evidence,
        unknown=tuple(Unknown(fact=fact, why=why) for fact in ("layers", *_UNREAD)),
    )


_UNREAD = (
    "decoder_type parameters.total parameters.text parameters.active parameters.active_with_embedding "
    "parameters.embedding parameters.vision parameters.audio parameters.mtp context_length vocab_size hidden_size "
    "tied_embeddings attention position norm residual feed_forward moe mtp_layers towers quantization kv_cache memory"
).split()


class _Reader:
    """One reading: collects facts, their evidence and what is unknown."""

    def __init__(self, files: RepoFiles, config: Config) -> None:
        self.files = files
        self.config = config
        self.family = config.family
        self.evidence: dict[str, Evidence] = {}
        self.unknown: dict[str, str] = {}
        self.layers: list[Layer] = []
        self.pattern_where: str | None = None

    # --- noting ------------------------------------------------------------------------------------------------------

    def note(self, fact: str, value: T, where: str | tuple[str, ...] | None, witness: str = "config") -> T:
        """Keep where a fact was read; a fact that is None needs none."""
        if value is not None and where is not None:
            told = "reference" if isinstance(where, str) and where.startswith("transformers ") else witness
            self.evidence[fact] = Evidence(witness=told, where=where)
        return value

    def lacking(self, fact: str, why: str) -> None:
        """A fact that cannot be told."""
        self.unknown.setdefault(fact, why)

    def size(self, fact: str, concept: str, *, low: int = 1, required: bool = False) -> int | None:
        """A size by concept, with its evidence; senseless or (if required) missing values are unknown."""
        try:
            value = self.config.size(concept, low=low)
        except Absent as error:
            self.lacking(fact, str(error))
            return None
        if value is None and required:
            self.lacking(fact, f"{self.config.file} does not tell {self.config.keys(concept)[0]}")
        return self.note(fact, value, self.config.where(concept))

    def trying(self, facts: tuple[str, ...], compute: Callable[[], T]) -> T | None:
        """A computed value, or these facts unknown for the reason it could not be computed."""
        try:
            return compute()
        except (Absent, ArithmeticError, TypeError, ValueError) as error:
            why = (
                str(error) if isinstance(error, Absent) else f"{self.config.file} holds values that do not fit together"
            )
            for fact in facts:
                self.lacking(fact, why)
            return None

    def code_fact(self, fact: str, value: T | None) -> T | None:
        """A fact that only an implementation tells."""
        if self.family is None or value is None:
            kind = self.config.model_type or "this model"
            self.lacking(fact, f"the implementation of {kind} was not read")
            return None
        return self.note(fact, value, self.family.source, "reference")

    # --- the record --------------------------------------------------------------------------------------------------

    def read(self) -> Architecture:
        found = self.trying(("layers", "decoder_type", "attention.kinds"), lambda: read_layers(self.config))
        if found is not None:
            self.layers, self.pattern_where = found
        towers, vision, audio = self._towers()
        tied = self._tied()
        counts = self._counts(tied)
        layers = self._layers(counts)
        record = Architecture(
            model=self._model(towers),
            decoder_type=self._decoder_type(),
            parameters=self._parameters(counts, vision, audio, bool(towers)),
            context_length=self.size("context_length", "context", required=True),
            vocab_size=self.size("vocab_size", "vocab", required=True),
            hidden_size=self.size("hidden_size", "hidden_size", required=True),
            tied_embeddings=tied,
            layers=layers,
            attention=self._attention(),
            position=self._position(),
            norm=Norm(
                kind=self.code_fact("norm.kind", self.family.norm_kind if self.family else None),
                placement=self.code_fact("norm.placement", self.family.norm if self.family else None),
                eps=self._eps(),
            ),
            residual=self._residual(),
            feed_forward=self._feed_forward(),
            moe=self._moe(),
            mtp_layers=self._mtp(),
            towers=towers,
            quantization=self._quantization(),
            kv_cache=self._kv_cache(),
        )
        record = replace(record, memory=self._memory(record.parameters.total), novel=self._novel())
        record = replace(record, disagreements=self._disagreements(record))
        return replace(
            record,
            evidence=dict(self.evidence),
            unknown=tuple(Unknown(fact=fact, why=why) for fact, why in self.unknown.items()),
        )

    def _model(self, towers: tuple[Tower, ...]) -> Model:
        raw, config = self.config.raw, self.config
        classes = raw.get("architectures")
        class_ = classes[0] if isinstance(classes, list) and classes and isinstance(classes[0], str) else None
        family = next((item for item in (raw.get("model_type"), config.model_type) if isinstance(item, str)), None)
        self.note("model.family", family, f"{config.file}: model_type")
        self.note("model.class", class_, f"{config.file}: architectures")
        license_ = _text(self.files.hub.get("license"))
        self.note("model.license", license_, "tag license", "hub")
        modalities = ("text", *dict.fromkeys(tower.modality for tower in towers))
        if "video" in str(raw.get("video_token_id", "")) or ("video_token_id" in raw and "image" in modalities):
            modalities = (*modalities, "video")
        return Model(
            id=self.files.name,
            revision=self.files.revision,
            family=family,
            class_=class_,
            modalities=modalities,
            license=license_,
            remote_code=bool(as_mapping(raw.get("auto_map")))
            and any(p.endswith(".py") for p in self.files.sizes or self.files.files),
        )

    def _decoder_type(self) -> str | None:
        if not self.layers:
            return None
        mixers = {layer.mixer for layer in self.layers} - HALVES
        sparse = any(layer.ff == "moe" or layer.mixer == "moe" for layer in self.layers)
        linear, full = mixers & RECURRENT, mixers - RECURRENT
        self.note("decoder_type", "", ("layers.kinds",), "derived")
        if linear and not full:
            return "recurrent"
        return f"{'sparse' if sparse else 'dense'}-hybrid" if linear else "sparse-moe" if sparse else "dense"

    def _tied(self) -> bool | None:
        raw, config = self.config.raw, self.config
        for source, path in ((raw, ""), (config.text, config.path)):
            value = source.get("tie_word_embeddings")
            if isinstance(value, bool):
                return self.note("tied_embeddings", value, f"{config.file}: {path}tie_word_embeddings")
        default = self.family.defaults.get("tie_word_embeddings") if self.family else None
        if isinstance(default, bool) and self.family:
            return self.note("tied_embeddings", default, default_source(self.family, "tie_word_embeddings"))
        self.lacking("tied_embeddings", f"{config.file} does not tell tie_word_embeddings")
        return None

    # --- counts ------------------------------------------------------------------------------------------------------

    def _counts(self, tied: bool | None) -> parameters.Counts | None:
        facts = ("parameters.text", "parameters.active", "parameters.active_with_embedding")
        if not self.layers:
            return None
        if self.family is None or not self.family.counted:
            kind = self.config.model_type or "this model"
            for fact in facts:
                self.lacking(fact, f"the implementation of {kind} was not read, so its weights cannot be counted")
            return None
        if tied is None:
            return None
        return self.trying(facts, lambda: parameters.count(self.config, self.layers, tied))

    def _parameters(
        self, counts: parameters.Counts | None, vision: int | None, audio: int | None, towers: bool
    ) -> Parameters:
        stored = self.files.hub.get("stored_parameters")
        stored = stored if isinstance(stored, int) and stored > 0 else None
        self.note("parameters.stored", stored, "safetensors.parameters", "hub")
        if stored is None:
            self.lacking("parameters.stored", "no safetensors metadata was given")
        total = counts.text if counts and not towers else None
        if counts and towers:
            self.lacking("parameters.total", "the weights of the towers were not counted")
        if counts is None:
            self.lacking("parameters.total", self.unknown.get("parameters.text", "the layers are unknown"))
        for fact in ("text", "active", "active_with_embedding"):
            self.note(f"parameters.{fact}", counts, ("layers.kinds", "hidden_size", "vocab_size"), "derived")
        self.note("parameters.total", total, ("parameters.text",), "derived")
        if self.config.get("mtp"):
            self.lacking("parameters.mtp", "only the config was read")
        embedding = counts.embedding if counts else None
        if embedding is None:
            self.lacking("parameters.embedding", self.unknown.get("parameters.text", "the layers are unknown"))
        self.note("parameters.embedding", embedding, ("vocab_size", "hidden_size"), "derived")
        return Parameters(
            total=total,
            text=counts.text if counts else None,
            active=counts.active if counts else None,
            active_with_embedding=counts.active_with_embedding if counts else None,
            embedding=embedding,
            vision=vision,
            audio=audio,
            mtp=None if self.config.get("mtp") else 0,
            stored=stored,
        )

    # --- layers ------------------------------------------------------------------------------------------------------

    def _layers(self, counts: parameters.Counts | None) -> Layers:
        if not self.layers:
            return Layers()
        groups: dict[tuple[Layer, int | None], list[int]] = {}
        for index, layer in enumerate(self.layers):
            weights = counts.per_layer[index] if counts else None
            groups.setdefault((layer, weights), []).append(index)
        names = {key: _letter(position) for position, key in enumerate(groups)}
        kinds = tuple(self._kind(names[key], key[0], key[1], len(found)) for key, found in groups.items())
        by_index = {index: names[key] for key, found in groups.items() for index in found}
        ids = [by_index[index] for index in range(len(self.layers))]
        words = {kind.id: f"({kind.mixer}+{kind.ff})" if kind.ff else f"({kind.mixer})" for kind in kinds}
        mix: dict[str, int] = {}
        for layer in self.layers:
            mix[layer.mixer or "unknown"] = mix.get(layer.mixer or "unknown", 0) + 1
        self.note("layers.count", len(ids), self.config.where("layers") or self.pattern_where)
        for fact in ("mix", "sequence", "pattern"):
            self.note(f"layers.{fact}", "", self.pattern_where)
        return Layers(
            count=len(ids),
            mix=tuple(MixEntry(kind=kind, count=count) for kind, count in mix.items()),
            kinds=kinds,
            sequence=shorten(ids, lambda kind, n: kind if n == 1 else f"{kind}{n}", lambda group, n: f"({group}){n}"),
            pattern=shorten([words[item] for item in ids], lambda w, n: f"{n}×{w}", lambda group, n: f"{n}×[{group}]"),
        )

    def _kind(self, name: str, layer: Layer, weights: int | None, count: int) -> LayerKind:
        path = f"layers.kinds.{name}"
        self.note(f"{path}.mixer", layer.mixer, self.pattern_where)
        self.note(f"{path}.ff", layer.ff, self.config.where("experts") or self.config.where("intermediate_size"))
        self.note(f"{path}.count", count, self.pattern_where)
        concepts = {"num_attention_heads": "heads", "num_key_value_heads": "kv_heads", "qk_dim": "head_dim"}
        for fact, concept in concepts.items():
            self.note(f"{path}.{fact}", layer.heads, self.config.where(concept) or self.config.where("heads"))
        self.note(f"{path}.v_dim", layer.v_dim, self.config.where("v_head_dim") or self.config.where("head_dim"))
        self.note(f"{path}.window", layer.window, self.config.where("sliding_window"))
        self.note(f"{path}.parameters", weights, ("hidden_size", f"{path}.num_attention_heads"), "derived")
        if self.family is None:
            for fact in ("rope", "qk_norm", "gate", "sinks", "norm"):
                self.lacking(f"{path}.{fact}", f"the implementation of {self.config.model_type} was not read")
        else:
            for fact in ("rope", "qk_norm", "gate", "sinks", "norm"):
                self.note(f"{path}.{fact}", getattr(layer, fact), self.family.source, "reference")
        grows = self.trying((f"{path}.cache_bytes_per_token",), lambda: cache.growth(self.config, layer))
        state = self.trying((f"{path}.state_bytes",), lambda: cache.state(self.config, layer))
        self.note(f"{path}.cache_bytes_per_token", grows, (f"{path}.num_key_value_heads", f"{path}.qk_dim"), "derived")
        self.note(f"{path}.state_bytes", state, (f"{path}.mixer",), "derived")
        return LayerKind(
            id=name,
            mixer=layer.mixer,
            ff=layer.ff,
            count=count,
            num_attention_heads=layer.heads,
            num_key_value_heads=layer.kv_heads,
            qk_dim=layer.qk_dim,
            v_dim=layer.v_dim,
            window=layer.window,
            rope=layer.rope,
            qk_norm=layer.qk_norm,
            gate=layer.gate,
            sinks=layer.sinks,
            norm=layer.norm,
            state_bytes=state,
            cache_bytes_per_token=None if grows is None else round(grows),
            parameters=weights,
            shared_kv_from=layer.shared_kv_from,
        )

    # --- parts -------------------------------------------------------------------------------------------------------

    def _attention(self) -> Attention:
        found = [layer for layer in self.layers if layer.mixer not in RECURRENT | HALVES]
        if not found:
            return Attention(qk_norm=False, bias=False, sinks=False, gated=False)
        main = next((layer for layer in found if layer.window is None), found[0])
        kinds = tuple(dict.fromkeys(layer.mixer or "unknown" for layer in found))
        self.note("attention.kinds", kinds, self.pattern_where)
        self.note("attention.num_attention_heads", main.heads, self.config.where("heads"))
        self.note(
            "attention.num_key_value_heads", main.kv_heads, self.config.where("kv_heads") or self.config.where("heads")
        )
        self.note("attention.head_dim", main.qk_dim, self.config.where("head_dim") or self.config.where("hidden_size"))
        window = next((layer.window for layer in found if layer.window), None)
        self.note(
            "attention.sliding_window",
            window,
            self.config.where("sliding_window") or self.config.where("attention_chunk_size"),
        )
        code = self.family is not None and self.family.norm is not None
        shared = sum(layer.shared_kv_from is not None for layer in self.layers)
        return Attention(
            kinds=kinds,
            num_attention_heads=main.heads,
            num_key_value_heads=main.kv_heads,
            head_dim=main.qk_dim,
            qk_norm=self.code_fact("attention.qk_norm", any(layer.qk_norm for layer in found) if code else None),
            bias=self._bias(),
            sinks=self.code_fact("attention.sinks", any(layer.sinks for layer in found) if code else None),
            gated=self.code_fact("attention.gated", self.family.gate if code and self.family else None),
            sliding_window=window,
            sparse=self._sparse(),
            mla=self._mla(),
            shared_kv_layers=self.note("attention.shared_kv_layers", shared, self.config.where("num_kv_shared_layers")),
        )

    def _bias(self) -> bool | None:
        rule = self.family.attention_bias if self.family else None
        if rule in ("qkv", "all", "none"):
            return self.code_fact("attention.bias", rule != "none")
        key = next((key for key in ("attention_bias", "qkv_bias", "use_qkv_bias") if self.config.find(key)), None)
        if key is not None:
            return self.note("attention.bias", self.config.flag(key), self.config.where(key))
        return self.code_fact("attention.bias", False if self.family and self.family.counted else None)

    def _sparse(self) -> SparseAttention | None:
        layers = sum(layer.indexer for layer in self.layers)
        if not layers and not any(layer.mixer == "csa" for layer in self.layers):
            return None
        compressed = any(layer.mixer == "csa" for layer in self.layers)
        self.note("attention.sparse.kind", "", self.config.where("index_topk"))
        return SparseAttention(
            kind="csa" if compressed else "dsa",
            index_n_heads=self.size("attention.sparse.index_n_heads", "index_n_heads"),
            index_head_dim=self.size("attention.sparse.index_head_dim", "index_head_dim"),
            index_topk=self.size("attention.sparse.index_topk", "index_topk"),
            layers=layers or sum(layer.mixer == "csa" for layer in self.layers),
        )

    def _mla(self) -> Mla | None:
        if not is_mla(self.config):
            return None
        names = ("q_lora_rank", "kv_lora_rank", "qk_rope_head_dim", "qk_nope_head_dim", "v_head_dim")
        return Mla(**{name: self.size(f"attention.mla.{name}", name, low=0) for name in names})

    def _position(self) -> Position:
        found = [layer for layer in self.layers if layer.mixer not in RECURRENT | HALVES]
        rope = self.config.part("rope_parameters")
        main = as_mapping(rope.get("full_attention")) or rope
        scaling = self.config.part("rope_scaling") or main
        factor = self._rotary_share(main)
        theta = main.get("rope_theta", self.config.get("rope_theta"))
        where = self.config.where("rope_parameters" if main.get("rope_theta") is not None else "rope_theta")
        kind = scaling.get("rope_type") or scaling.get("type")
        name = kind if isinstance(kind, str) and kind not in ("default", "mrope") else None
        self.note("position.scaling", name, f"{self.config.file}: {self.config.path}rope_scaling")
        theta = theta if isinstance(theta, (int, float)) and not isinstance(theta, bool) and theta > 0 else None
        flags = [layer.rope for layer in found]
        if not found:
            return Position(kinds=(), nope_layers=0)
        if self.config.family is not None and self.config.family.name == "gpt2":
            return Position(
                kinds=self.note("position.kinds", ("learned",), self.config.family.source) or (), nope_layers=0
            )
        if any(flag is None for flag in flags):
            self.lacking("position.kinds", f"the implementation of {self.config.model_type} was not read")
            self.lacking("position.nope_layers", f"the implementation of {self.config.model_type} was not read")
            return Position(
                rope_theta=self.note("position.rope_theta", theta, where), partial_rotary_factor=factor, scaling=name
            )
        nope = sum(flag is False for flag in flags)
        rotary = (
            "p-rope"
            if name == "proportional"
            else "partial-rope"
            if factor
            else "mrope"
            if "mrope_section" in scaling
            else "rope"
        )
        kinds = ((rotary,) if nope < len(flags) else ()) + (("nope",) if nope else ())
        source = self.family.source if self.family else None
        return Position(
            kinds=self.note("position.kinds", kinds, source) or (),
            rope_theta=self.note("position.rope_theta", theta, where) if nope < len(flags) else None,
            partial_rotary_factor=factor,
            scaling=name,
            nope_layers=self.note("position.nope_layers", nope, source),
        )

    def _rotary_share(self, parameters: Mapping[str, Any]) -> float | None:
        """The share of each head that is rotated, where it is a part: stated, by its width, or set by the class."""
        fact, config = "position.partial_rotary_factor", self.config
        if _is_part(parameters.get("partial_rotary_factor")):
            return self.note(fact, float(parameters["partial_rotary_factor"]), config.where("rope_parameters"))
        for key in ("partial_rotary_factor", "rotary_pct"):
            if _is_part(config.get(key)):
                return self.note(fact, float(config.get(key)), config.where(key))
        width = next((key for key in ("rotary_dim", "qk_rope_head_dim") if key in config.text), None)
        head = config.get("head_dim")
        if (
            width
            and isinstance(head, int)
            and head > 0
            and not is_mla(config)
            and _is_part(_over(config.get(width), head))
        ):
            return self.note(fact, int(config.get(width)) / head, config.where(width))
        share = PARTIAL_ROTARY.get(self.family.name) if self.family else None
        stated = any(
            key in part for part in (parameters, config.text) for key in ("partial_rotary_factor", "rotary_pct")
        )
        return None if stated or self.family is None else self.note(fact, share, self.family.source)

    def _eps(self) -> float | None:
        value = self.config.get("eps")
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1
        return self.note("norm.eps", float(value) if good else None, self.config.where("eps"))

    def _residual(self) -> Residual:
        streams = self.config.get("hc_mult") or self.config.get("num_residual_streams")
        value = self.config.get("residual_multiplier")
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and value != 1
        multiplier = self.note("residual.multiplier", value if good else None, self.config.where("residual_multiplier"))
        parallel = self.code_fact("residual.parallel", self.family.parallel if self.family else None)
        if isinstance(streams, int) and not isinstance(streams, bool) and 1 < streams < 1000:
            self.note("residual.streams", streams, self.config.where("hc_mult"))
            return Residual(kind="hyper-connections", streams=streams, parallel=parallel, multiplier=multiplier)
        kind = self.code_fact("residual.kind", "plain" if self.family and self.family.norm else None)
        return Residual(kind=kind, streams=1 if kind else None, parallel=parallel, multiplier=multiplier)

    def _feed_forward(self) -> FeedForward:
        value = self.config.get("activation")
        activation = self.note(
            "feed_forward.activation", value if isinstance(value, str) else None, self.config.where("activation")
        )
        if activation is None:
            self.lacking("feed_forward.activation", f"{self.config.file} does not tell hidden_act")
        dense = any(layer.ff == "dense" or layer.mixer == "ffn" for layer in self.layers)
        width = self.size("feed_forward.intermediate_size", "intermediate_size") if dense else None
        gated = self.code_fact("feed_forward.gated", self.family.gated_mlp if self.family else None)
        return FeedForward(activation=activation and activation[:40], gated=gated, intermediate_size=width)

    def _moe(self) -> Moe | None:
        sparse = [layer for layer in self.layers if layer.ff == "moe" or layer.mixer == "moe"]
        if not sparse:
            return None
        scoring = self.config.get("scoring_func")
        router = scoring if isinstance(scoring, str) and len(scoring) < 40 else None
        if router is not None:
            self.note("moe.router", router, self.config.where("scoring_func"))
        else:
            router = self.code_fact("moe.router", self.family.router if self.family else None)
        shared = self.size("moe.num_shared_experts", "shared_experts", low=0)
        if shared is None and self.config.size("shared_size", low=0):
            shared = self.note("moe.num_shared_experts", 1, self.config.where("shared_size"))
        if shared is None and self.family and self.family.name == "llama4_text":
            shared = self.note("moe.num_shared_experts", 1, self.family.source)
        size = self.size("moe.moe_intermediate_size", "expert_size") or self.size(
            "moe.moe_intermediate_size", "intermediate_size"
        )
        halves = any(layer.mixer == "moe" for layer in self.layers)
        groups = self.size("moe.groups", "groups")
        return Moe(
            num_experts=self.size("moe.num_experts", "experts", required=True),
            num_experts_per_tok=self.size("moe.num_experts_per_tok", "top_k", required=True),
            num_shared_experts=shared or 0,
            moe_intermediate_size=size,
            dense_layers=self.note(
                "moe.dense_layers", 0 if halves else len(self.layers) - len(sparse), ("layers.kinds",), "derived"
            ),
            router=router,
            groups=groups if groups and groups > 1 else None,
            zero_experts=self.size("moe.zero_experts", "zero_experts", low=0) or 0,
            latent_size=self.size("moe.latent_size", "latent"),
        )

    def _mtp(self) -> int | None:
        value = self.size("mtp_layers", "mtp", low=0)
        if value is not None or "mtp_layers" in self.unknown:
            return value
        types, count = self.config.items("layer_types"), len(self.layers)
        return len(types) - count if types and count and 0 < len(types) - count < 10 else 0

    def _towers(self) -> tuple[tuple[Tower, ...], int | None, int | None]:
        towers: list[Tower] = []
        sources = [self.config.raw, as_mapping(self.config.raw.get("thinker_config"))]
        for source in sources:
            for key, modality in TOWERS:
                part = as_mapping(source.get(key))
                if part and modality not in [tower.modality for tower in towers]:
                    towers.append(self._tower(part, key, modality))
        modalities = {tower.modality for tower in towers}
        for fact, modality in (("vision", "image"), ("audio", "audio")):
            if modality in modalities:
                self.lacking(f"parameters.{fact}", "the weights of the tower were not counted")
        return tuple(towers), None if "image" in modalities else 0, None if "audio" in modalities else 0

    def _tower(self, part: Mapping[str, Any], key: str, modality: str) -> Tower:
        layers = next(
            (part[name] for name in ("num_hidden_layers", "depth", "encoder_layers", "layers") if name in part), None
        )
        width = next((part[name] for name in ("hidden_size", "d_model", "width", "embed_dim") if name in part), None)
        kind = part.get("model_type")
        self.note("towers", key, f"{self.config.file}: {key}")
        return Tower(
            modality=modality,
            class_=kind if isinstance(kind, str) else None,
            layers=layers if isinstance(layers, int) and 0 < layers < 2000 else None,
            hidden_size=width if isinstance(width, int) and 0 < width < 2**24 else None,
        )

    def _quantization(self) -> Quantization | None:
        part, where = {}, ""
        for source, path in ((self.config.raw, ""), (self.config.text, self.config.path)):
            if isinstance(source.get("quantization_config"), dict):
                part, where = source["quantization_config"], f"{self.config.file}: {path}quantization_config"
        if not part:
            return None
        method = part.get("quant_method") or part.get("quant_algo") or "unknown"
        fmt = str(part.get("format", "")) + str(part.get("quant_algo", ""))
        method = str(method)[:40].lower()
        bits = (
            part.get("bits")
            or part.get("weight_bits")
            or _BITS.get(method)
            or next((number for sign, number in _FORMATS.items() if sign in fmt.lower() or sign in method), None)
        )
        if part.get("load_in_4bit") is True:
            bits = 4
        good = isinstance(bits, (int, float)) and not isinstance(bits, bool) and 0 < bits <= 32
        self.note("quantization.method", method, where)
        if not good:
            self.lacking("quantization.bits", f"{where} does not tell the bits")
        return Quantization(method=method, bits=bits if good else None)

    # --- memory ------------------------------------------------------------------------------------------------------

    def _kv_cache(self) -> KvCache:
        facts = ("kv_cache.bytes_per_token", "kv_cache.nominal_bytes_per_token", "kv_cache.state_bytes", "kv_cache.at")
        if not self.layers:
            for fact in facts:
                self.lacking(fact, self.unknown.get("layers", "the layers are unknown"))
            return KvCache(state_bytes=None)
        config, layers = self.config, self.layers
        grows = self.trying(facts[:1], lambda: _plain(sum(cache.growth(config, layer) for layer in layers)))
        table = self.trying(facts[1:2], lambda: _plain(sum(cache.nominal(config, layer) for layer in layers)))
        state = self.trying(facts[2:3], lambda: sum(cache.state(config, layer) for layer in layers))

        def held(length: int) -> int:
            return cache.at_length(config, layers, length) + (state or 0)

        at = {str(length): self.trying(facts[3:], partial(held, length)) for length in cache.LENGTHS}
        for fact, value in zip(facts, (grows, table, state, at), strict=True):
            self.note(fact, value, ("layers.kinds",), "derived")
        return KvCache(
            bytes_per_token=grows,
            nominal_bytes_per_token=table,
            state_bytes=state,
            at=at if state is not None else dict.fromkeys(at),
        )

    def _memory(self, total: int | None) -> Memory:
        weights = sum(
            size for path, size in self.files.sizes.items() if path.endswith((".safetensors", ".bin", ".pth", ".gguf"))
        )
        known: dict[str, int | None] = {"bf16": None, "fp8": None, "int4": None, "published": weights or None}
        if total is not None:
            known |= {"bf16": total * 2, "fp8": total, "int4": total // 2}
            for name in ("bf16", "fp8", "int4"):
                self.note(f"memory.weights_bytes.{name}", total, ("parameters.total",), "derived")
        else:
            for name in ("bf16", "fp8", "int4"):
                self.lacking(f"memory.weights_bytes.{name}", "the number of parameters is unknown")
        if not weights:
            self.lacking("memory.weights_bytes.published", "no file sizes were given")
        self.note("memory.weights_bytes.published", weights or None, "sizes of the weight files", "hub")
        return Memory(weights_bytes=known)

    # --- doubt -------------------------------------------------------------------------------------------------------

    def _novel(self) -> Novel:
        known = known_keys() | self.config.asked
        keys = sorted(key for key in self.config.text if key not in known and not irrelevant(key) and len(key) < 100)
        unread = self.family is None and isinstance(self.config.raw.get("architectures"), list)
        classes = [name for name in self.config.raw["architectures"] if isinstance(name, str)] if unread else []
        return Novel(config_keys=tuple(keys[:100]), classes=tuple(name[:100] for name in classes[:5]))

    def _disagreements(self, record: Architecture) -> tuple[Disagreement, ...]:
        """The stored count against ours, where the weights are stored as they are computed with."""
        stored, total = record.parameters.stored, record.parameters.total
        if record.quantization is not None or stored is None or total is None or stored == total:
            return ()
        if abs(stored - total) <= 0.02 * total or record.mtp_layers:
            return ()
        return (Disagreement(fact="parameters.total", values={"config": total, "hub": stored}, taken="config"),)


_BITS = {"fp8": 8, "fbgemm_fp8": 8, "mxfp4": 4, "nvfp4": 4, "awq": 4, "bitnet": 1.58}
_FORMATS = {"nvfp4": 4, "mxfp4": 4, "float-quantized": 8, "fp8": 8, "int-quantized": 8, "pack-quantized": 4, "w4a": 4}


def _letter(position: int) -> str:
    """A … Z, AA, AB, …"""
    first, last = divmod(position, 26)
    return (chr(64 + first) if first else "") + chr(65 + last)


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _is_part(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < 1


def _over(part: object, whole: int) -> float | None:
    return part / whole if isinstance(part, int) and not isinstance(part, bool) and 0 < part < 2**31 else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
