"""`value.name` for everything the interpreter computes with, and setting it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from watcher.architecture.code import classes, configs, outside, tables
from watcher.architecture.code.alike import looked_at
from watcher.architecture.code.arithmetic import ANGLES, MATH_VALUES, METHODS, call_method, multiplied, product, summed
from watcher.architecture.code.layers import tensor_method
from watcher.architecture.code.protocol import Machine
from watcher.architecture.code.repeats import touches
from watcher.architecture.code.stops import FAILURES, NoAttribute, Raised, Undecided
from watcher.architecture.code.values import (
    UNKNOWN,
    ClassValue,
    ConfigValue,
    Function,
    Method,
    ModuleValue,
    Space,
    SuperValue,
    Tensor,
    Weight,
)

MAX_NAME = 200
TRACED = frozenset("sigmoid tanh softmax topk".split())
SILENT = frozenset("post_init init_weights standardize_rope_params validate_rope "
                   "convert_rope_params_to_dict update validate_layer_type validate_architecture".split())  # fmt: skip
"""Methods of modules and configs that change nothing we look at."""


def attribute(machine: Machine, value: Any, name: str) -> Any:
    """`value.name`. Raises NoAttribute for a config without that key, Raised for None."""
    if value is UNKNOWN:
        return UNKNOWN
    reader = READERS.get(type(value))
    if reader is not None:
        return reader(machine, value, name)
    if type(value) in PLAIN_TYPES:
        return Method(value, call=partial(_plain, machine, value, name)) if name in METHODS else UNKNOWN
    if value is None:
        if machine.stack:  # in a forward pass, of something that was not given
            machine.doubt(f"{name} of something that is not given")
            return UNKNOWN
        raise Raised("None has no attributes")
    return UNKNOWN


PLAIN_TYPES = frozenset((dict, list, str, tuple, set, frozenset, int, float))


def _plain(machine: Machine, value: Any, name: str, *args: Any, **named: Any) -> Any:
    return call_method(machine, value, name, list(args), named)


def _activations(machine: Machine, value: Any, name: str) -> Any:
    if name == "get":
        return Method(value, call=lambda key=None, default=None: value.at(key))
    return UNKNOWN


def _attentions(machine: Machine, value: Any, name: str) -> Any:
    """`get_interface(name, eager)`: the eager function."""
    if name in ("get_interface", "get"):
        return Method(value, call=lambda key=None, default=UNKNOWN: default)
    return UNKNOWN


def _sub_config(machine: Machine, value: configs.SubConfig, name: str) -> Any:
    known = {"config_class": value.cls, "model_type": value.model_type, "init_kwargs": value.values}
    return known.get(name, UNKNOWN)


def _tensor(machine: Machine, value: Tensor, name: str) -> Any:
    if name == "shape":
        return value.shape if value.shape is not None else UNKNOWN
    if name == "device":
        return Space("device")
    if name in ("dtype", "ndim", "is_meta", "layout"):
        return UNKNOWN
    if name in ("T", "mT", "data", "real", "imag"):
        return Tensor(value.shape if name in ("data", "real") else None, value.made, value.marks)

    def method(*args: Any, **named: Any) -> Any:
        return _tensor_call(machine, value, name, [*args, *named.values()])

    return Method(value, call=method)


def _tensor_call(machine: Machine, value: Tensor, name: str, args: list[Any]) -> Any:
    other = next((item for item in args if isinstance(item, Tensor)), None)
    if name in TRACED:
        outside.note(machine, name)
        marked = Tensor(value.shape, value.made, value.marks | ({name} & {"sigmoid"}))
        return (marked, Tensor()) if name == "topk" else marked
    if name in ("cos", "sin"):
        return Tensor(value.shape, value.made, frozenset({ANGLES}))
    if other is not None and name in ("matmul", "bmm", "mm"):
        return product(machine, value, other)
    if other is not None and name in ("mul", "mul_", "multiply"):
        return multiplied(machine, value, other)
    if other is not None and name in ("add", "add_", "sub", "sub_"):
        return summed(value, other)
    return tensor_method(value, name, args)


def _space(machine: Machine, value: Space, name: str) -> Any:
    if value.path == "math" and name in MATH_VALUES:
        return MATH_VALUES[name]
    if name == "__name__":
        return value.last
    if value.path == "device" and name == "type":
        return "meta"
    return Space(f"{value.path}.{name}")


def _module(machine: Machine, value: ModuleValue, name: str) -> Any:
    if name in value.children:
        return value.children[name]
    if name in value.weights:
        return value.weights[name]
    if name in value.attributes:
        found = value.attributes[name]
        return found if machine.looked is None else looked_at(machine.looked, value, name, found)
    if value.cls is not None:
        found = _from_class(machine, value, value.cls, name)
        if found is not UNKNOWN:
            return found
    if name in ("training", "gradient_checkpointing"):
        return False
    if name in ("weight", "bias"):
        return None if value.cls is None or name == "bias" else UNKNOWN
    own = OWN_METHODS.get(name)
    if own in CHANGING:
        touches(machine, value)
    return (
        Method(value, call=partial(own, value)) if own else Method(value, call=_nothing) if name in SILENT else UNKNOWN
    )


def _from_class(machine: Machine, value: Any, cls: ClassValue, name: str) -> Any:
    """A method, property or class attribute; UNKNOWN when the class has none of that name."""
    found, where = classes.find(machine, cls, name)
    if isinstance(found, Function):
        if found.decorated("property", "cached_property"):
            return machine.run(found, [value], {}, where)
        return found if found.decorated("staticmethod") else Method(value, found, where)
    if found is None or where is None:
        return UNKNOWN
    try:
        return machine.evaluate(found, {"__module__": where.module})
    except FAILURES:
        return UNKNOWN


def _nothing(*args: Any, **named: Any) -> None:
    return None


def _append(module: ModuleValue, item: Any) -> None:
    if isinstance(item, ModuleValue):
        module.children[str(len(module.children))] = item


def _extend(module: ModuleValue, items: Any) -> None:
    for item in items if isinstance(items, (list, tuple)) else []:
        _append(module, item)


def _add_module(module: ModuleValue, name: Any, item: Any = None) -> None:
    if isinstance(item, ModuleValue):
        _name(module.children, name, item)


def _name(group: Any, name: Any, item: Any) -> None:
    if isinstance(name, (str, int)) and len(str(name)) <= MAX_NAME:
        group[str(name)] = item


def _register_parameter(module: ModuleValue, name: Any, item: Any = None) -> None:
    group = module.weights if isinstance(item, Weight) else module.attributes
    _name(group, name, item)


def _register_buffer(module: ModuleValue, name: Any = "", *args: Any, **named: Any) -> None:
    _name(module.attributes, name, Tensor())


def _itself(module: ModuleValue, *args: Any, **named: Any) -> ModuleValue:
    return module


ITSELF = "to cuda cpu float half bfloat16 double eval train requires_grad_ apply to_empty type share_memory".split()
"""Methods that give the module itself."""

OWN_METHODS: dict[str, Callable[..., Any]] = {
    **dict.fromkeys(ITSELF, _itself),
    "append": _append,
    "extend": _extend,
    "add_module": _add_module,
    "register_module": _add_module,
    "register_parameter": _register_parameter,
    "register_buffer": _register_buffer,
    "items": lambda module: list(module.children.items()),
    "values": lambda module: list(module.children.values()),
    "keys": lambda module: list(module.children),
}
"""What every `nn.Module` or list of modules can do."""

CHANGING = frozenset((_append, _extend, _add_module, _register_parameter, _register_buffer))
"""Those that change it."""


def _config(machine: Machine, value: ConfigValue, name: str) -> Any:
    if name == "to_dict":
        return Method(value, call=lambda: configs.plain(machine, value))
    if name == "get_text_config":
        return Method(value, call=lambda *args, **named: configs.text_part(value))
    try:
        return configs.get(machine, value, name)
    except NoAttribute:
        if name in SILENT:
            return Method(value, call=_nothing)
        found = _from_class(machine, value, value.cls, name) if value.cls else UNKNOWN
        if found is UNKNOWN:
            raise
        return found


def _super(machine: Machine, value: SuperValue, name: str) -> Any:
    owner = value.owner
    if isinstance(owner, (ModuleValue, ConfigValue)) and owner.cls is not None:
        found, where = classes.find(machine, owner.cls, name, after=value.cls)
        if isinstance(found, Function):
            return Method(owner, found, where)
        if isinstance(owner, ModuleValue) and name == "__init__":
            return Method(owner, call=partial(_outside_init, machine, owner, value.cls))
        if isinstance(owner, ModuleValue) and name == "add_module":
            return Method(owner, call=partial(_add_module, owner))
        if isinstance(owner, ConfigValue) and name in ("__init__", "__post_init__"):
            return Method(owner, call=lambda *args, **named: configs.standard(machine, owner, named, name))
        if name == "forward" and isinstance(owner, ModuleValue):
            return Method(owner, call=lambda *args, **named: Tensor(None, owner.path))
    return Method(owner, call=lambda *args, **named: UNKNOWN)


def _outside_init(machine: Machine, module: ModuleValue, after: ClassValue | None, *args: Any, **named: Any) -> None:
    if module.cls is not None:
        outside.initialise(machine, module, classes.outside(machine, module.cls, after), list(args), named)


def _class(machine: Machine, value: ClassValue, name: str) -> Any:
    if name == "__name__":
        return value.name
    if name == "__dataclass_fields__":
        return {key: None for key in configs.fields(machine, value) if not key.startswith("$")}
    found, where = classes.find(machine, value, name)
    if name == "config_class" and found is None:
        return value
    if name == "__init__" and found is None:
        return Method(value)
    if name in ("_from_config", "from_config") and not isinstance(found, Function):
        return Method(value, call=lambda *args, **named: machine.call(value, [*args[:1], *named.values()][:1], {}))
    if isinstance(found, Function):
        if found.decorated("classmethod"):
            return Method(value, found, where)
        return found
    return classes.value_of(machine, value, name) if found is not None else UNKNOWN


def _method(machine: Machine, value: Any, name: str) -> Any:
    return UNKNOWN


READERS: dict[type, Callable[[Machine, Any, str], Any]] = {
    Tensor: _tensor,
    Weight: _tensor,
    Space: _space,
    ModuleValue: _module,
    ConfigValue: _config,
    SuperValue: _super,
    ClassValue: _class,
    Method: _method,
    tables.ActivationTable: _activations,
    tables.AttentionTable: _attentions,
    configs.SubConfig: _sub_config,
}
"""Kind of value → how its attributes are read."""


def set_attribute(machine: Machine, value: Any, name: str, item: Any) -> None:
    """`value.name = item`."""
    touches(machine, value)
    if isinstance(value, ConfigValue):
        value.values[value.aliases.get(name, name)] = item
    if not isinstance(value, ModuleValue):
        return
    if len(name) > MAX_NAME:
        raise Undecided("a name of many characters")
    if value.cls is not None and _set_property(machine, value, name, item):
        return
    for group in (value.children, value.weights, value.attributes):
        group.pop(name, None)
    if item is UNKNOWN and not machine.stack and not value.plain:
        machine.doubt(f"{name} is not known")
    if isinstance(item, ModuleValue) and not item.plain:
        value.children[name] = item
    elif isinstance(item, Weight):
        value.weights[name] = item
    else:
        value.attributes[name] = item


def _set_property(machine: Machine, value: ModuleValue, name: str, item: Any) -> bool:
    """Whether a property's setter took it."""
    found = classes.setter(machine, value.cls, name) if value.cls is not None else None
    if found is None:
        return False
    machine.run(found, [value, item], {}, value.cls)
    return True
