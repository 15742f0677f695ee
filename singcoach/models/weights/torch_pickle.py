"""What ``torch.save`` wrote about a dict of tensors, read as data.

A pickle is a program, and running it may call anything. This reads the program's instructions
(with ``pickletools.genops``, which decodes and runs nothing) and follows only those that build
tables, lists and plain values. The few names that a state dict refers to stand for a description
of a tensor; they are compared as text, never imported and never called. Everything else refuses
the file and names what it asked for.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO

from singcoach.errors import ModelError
from singcoach.models.weights.faults import damaged, shown, unsafe, unusable
from singcoach.models.weights.tensors import DTYPES, check_shape
from singcoach.models.weights.torch_values import Described, StorageName, TensorName, Unknown

_MAX_INSTRUCTIONS = 1_000_000
_MAX_WHOLE_NUMBER_BITS = 128
_MAX_TEXT_CHARACTERS = 1_000_000
_MAX_COPIED_BYTES = 64 << 20
"""All that calls may copy together: published checkpoints copy some kilobytes."""

_BYTES_PER_MEMBER = 16
_BYTES_PER_PAIR = 128

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
}
_MODULES_OF_STORAGES = ("torch", "torch.storage", "torch.cuda")
_PLAIN_NAMES = frozenset({f"torch.{name}" for name in (*DTYPES, "float", "half", "double")})


@dataclass(frozen=True, slots=True)
class _Global:
    name: str


class _Mark:
    pass


_MARK = _Mark()


def read_pickle(
    stream: BinaryIO, file_name: str, count: Callable[[], None] = lambda: None
) -> Described:
    """Read one pickle: tables, lists, tuples, plain values, and ``TensorName`` for tensors.

    Parameters
    ----------
    stream
        Bytes in memory (so that a length in the pickle takes no more than there is); afterwards it
        stands behind the pickle.
    count
        Called for every instruction.

    Raises
    ------
    ModelError
        When the pickle names anything but tensors and plain values, uses an instruction that
        ``torch.save`` does not write, or is cut or inconsistent.
    """
    interpreter = _Interpreter(file_name, count)
    try:
        with warnings.catch_warnings():
            # Decoding an instruction that is refused anyway may warn of its escapes.
            warnings.simplefilter("ignore", DeprecationWarning)
            value = interpreter.run(stream)
    except MemoryError as error:
        raise damaged(file_name, "its table of contents takes more memory than there is") from error
    return Described(value, interpreter.storages)


class _Interpreter:
    def __init__(self, file_name: str, count: Callable[[], None]) -> None:
        self._file = file_name
        self._count = count
        self._copied_bytes = 0
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.storages: dict[str, StorageName] = {}

    def run(self, stream: BinaryIO) -> Any:
        instructions = pickletools.genops(stream)
        for n in range(_MAX_INSTRUCTIONS):
            try:
                opcode, argument, _ = next(instructions)
            except (ValueError, OverflowError, StopIteration) as error:
                raise damaged(self._file, "its table of contents is cut or garbled") from error
            if opcode.name == "STOP":
                if len(self._stack) != 1 or self._stack[0] is _MARK:
                    raise self._garbled()
                return self._stack[0]
            self._count()
            self._follow(opcode.name, argument, first=n == 0)
        raise unusable(self._file, f"it has more than {_MAX_INSTRUCTIONS} instructions")

    def _follow(self, name: str, argument: Any, *, first: bool) -> None:
        if first != (name == "PROTO"):
            raise damaged(self._file, "it is no pickle that torch.save writes")
        if name in _VALUES:
            self._push_value(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name]())
        elif name in _ACTIONS:
            _ACTIONS[name](self, argument)
        else:
            raise unsafe(
                self._file,
                f"it uses the pickle instruction {name}, which no table of tensors needs",
            )

    def _push_value(self, value: Any) -> None:
        if isinstance(value, int) and value.bit_length() > _MAX_WHOLE_NUMBER_BITS:
            raise damaged(self._file, "it holds a number of absurd size")
        if isinstance(value, str | bytes) and len(value) > _MAX_TEXT_CHARACTERS:
            raise damaged(self._file, "it holds a text of absurd length")
        self._stack.append(value)

    # Instructions ------------------------------------------------------------

    def protocol(self, version: int) -> None:
        if not 2 <= version <= 5:
            raise unusable(self._file, f"its pickle protocol is {version}, not 2 to 5")

    def nothing(self, _argument: Any) -> None:
        pass

    def mark(self, _argument: Any) -> None:
        self._stack.append(_MARK)

    def tuple_of_marked(self, _argument: Any) -> None:
        self._stack.append(tuple(self._marked()))

    def tuple_of(self, n: int) -> None:
        items = [self._pop() for _ in range(n)]
        self._stack.append(tuple(reversed(items)))

    def put(self, place: int | None) -> None:
        if not self._stack or self._stack[-1] is _MARK:
            raise self._garbled()
        self._memo[len(self._memo) if place is None else place] = self._stack[-1]

    def get(self, place: int) -> None:
        if place not in self._memo:
            raise self._garbled()
        self._stack.append(self._memo[place])

    def append(self, _argument: Any) -> None:
        self._extend([self._pop()])

    def append_marked(self, _argument: Any) -> None:
        self._extend(self._marked())

    def set_item(self, _argument: Any) -> None:
        value, key = self._pop(), self._pop()
        self._set_items([key, value])

    def set_marked(self, _argument: Any) -> None:
        self._set_items(self._marked())

    def global_name(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self._push_global(module, name)

    def stacked_global(self, _argument: Any) -> None:
        name, module = self._pop(), self._pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise self._garbled()
        self._push_global(module, name)

    def reduce(self, _argument: Any) -> None:
        arguments, function = self._pop(), self._pop()
        if not isinstance(function, _Global):
            raise unsafe(self._file, "it would call what is no name of a tensor's parts")
        if not isinstance(arguments, tuple):
            raise self._garbled()
        meaning = _MEANINGS.get(function.name)
        if meaning is None:
            raise unsafe(self._file, f"it would call {shown(function.name)}")
        try:
            self._stack.append(meaning(self, *arguments))
        except TypeError as error:
            raise damaged(self._file, f"wrong details for {shown(function.name)}") from error

    def build(self, _argument: Any) -> None:
        state, target = self._pop(), self._pop()
        # A state dict carries its version so; numpy's types their byte order.
        is_version = isinstance(target, dict) and isinstance(state, dict)
        if not is_version and not isinstance(target, Unknown):
            raise unsafe(self._file, "it would set the inside of an object")
        self._stack.append(target)

    def persistent(self, _argument: Any) -> None:
        described = self._pop()
        if not isinstance(described, tuple) or len(described) not in (5, 6):
            raise unsafe(self._file, "it refers to something outside that is no tensor data")
        word, kind, key, _device, n_elements, *view = described
        if word != "storage" or not isinstance(kind, _Global):
            raise unsafe(self._file, "it refers to something outside that is no tensor data")
        dtype = _storage_dtype(kind.name)
        if dtype is None:
            raise unusable(self._file, f"its data is of the kind {shown(kind.name)}")
        if not isinstance(key, str) or not _is_whole(n_elements) or n_elements < 0:
            raise damaged(self._file, "it refers to tensor data in a way that cannot be")
        storage = StorageName(
            key=key, dtype=dtype, n_elements=n_elements, view_offset=self._view(view, key)
        )
        known = self.storages.setdefault(key, storage)
        if (known.dtype, known.n_elements) != (dtype, n_elements):
            raise damaged(self._file, f"the data {shown(key, 30)} is described in two ways")
        self._stack.append(storage)

    def _view(self, view: list[Any], key: str) -> int:
        """Return where a storage begins that is a piece of another (old files only)."""
        if not view or view[0] is None:
            return 0
        piece = view[0]
        if not isinstance(piece, tuple) or len(piece) != 3 or not _is_whole(piece[1]):
            raise damaged(self._file, f"the data {shown(key, 30)} is a piece of nothing")
        return int(piece[1])

    # What the known names mean -----------------------------------------------

    def tensor(
        self,
        storage: Any,
        offset: Any,
        shape: Any,
        strides: Any,
        _needs_gradient: Any = None,
        _hooks: Any = None,
        _metadata: Any = None,
    ) -> TensorName:
        if not isinstance(storage, StorageName) or not _is_whole(offset):
            raise damaged(self._file, "a tensor without data")
        sizes = check_shape(self._file, "a tensor", shape)
        if (
            not isinstance(strides, tuple | list)
            or len(strides) != len(sizes)
            or not all(map(_is_whole, strides))
        ):
            raise damaged(self._file, "the strides of a tensor do not fit its shape")
        return TensorName(
            storage=storage, offset=int(offset), shape=sizes, strides=tuple(map(int, strides))
        )

    def parameter(self, tensor: Any, *_rest: Any) -> TensorName:
        if not isinstance(tensor, TensorName):
            raise damaged(self._file, "a parameter that is no tensor")
        return tensor

    def table(self, pairs: Any = ()) -> dict[Any, Any]:
        if not isinstance(pairs, list | tuple):
            raise self._garbled()
        self._take(_BYTES_PER_PAIR * (1 + len(pairs)))
        made: dict[Any, Any] = {}
        for pair in pairs:
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise self._garbled()
            made[self._key(pair[0])] = pair[1]
        return made

    def sizes(self, values: Any) -> tuple[int, ...]:
        return check_shape(self._file, "a size", values)

    def members(self, values: Any = ()) -> list[Any]:
        if not isinstance(values, list | tuple):
            raise self._garbled()
        self._take(_BYTES_PER_MEMBER * (4 + len(values)))
        return list(values)

    def encoded(self, text: Any, encoding: Any = "latin1") -> bytes:
        if not isinstance(text, str) or encoding not in ("latin1", "latin-1"):
            raise self._garbled()
        self._take(len(text))
        try:
            return text.encode("latin-1")
        except UnicodeEncodeError as error:
            raise self._garbled() from error

    def unneeded(self, *_arguments: Any) -> Unknown:
        return Unknown("a value that is not needed")

    # Pieces ------------------------------------------------------------------

    def _take(self, n_bytes: int) -> None:
        """Count what a call copies: its argument may be recalled and copied again and again."""
        self._copied_bytes += n_bytes
        if self._copied_bytes > _MAX_COPIED_BYTES:
            raise damaged(self._file, "it copies values beyond reason")

    def _push_global(self, module: str, name: str) -> None:
        full = f"{module}.{name}"
        if full in _PLAIN_NAMES:
            self._stack.append(Unknown(full))
        elif full in _MEANINGS or _storage_dtype(full) is not None:
            self._stack.append(_Global(full))
        elif name.endswith("Storage") and module in _MODULES_OF_STORAGES:
            raise unusable(self._file, f"its data is of the kind {shown(full)}")
        else:
            raise unsafe(self._file, f"it would load {shown(full)}, which is more than data")

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise self._garbled()
        return self._stack.pop()

    def _marked(self) -> list[Any]:
        at = len(self._stack) - 1
        while at >= 0 and self._stack[at] is not _MARK:
            at -= 1
        if at < 0:
            raise self._garbled()
        items = self._stack[at + 1 :]
        del self._stack[at:]
        return items

    def _extend(self, items: list[Any]) -> None:
        target = self._stack[-1] if self._stack else None
        if not isinstance(target, list):
            raise self._garbled()
        target.extend(items)

    def _set_items(self, items: list[Any]) -> None:
        target = self._stack[-1] if self._stack else None
        if not isinstance(target, dict) or len(items) % 2:
            raise self._garbled()
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[self._key(key)] = value

    def _key(self, key: Any) -> str | int:
        if not isinstance(key, str | int):
            raise damaged(self._file, "a table whose keys are neither text nor numbers")
        return key

    def _garbled(self) -> ModelError:
        return damaged(self._file, "its table of contents is garbled")


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _storage_dtype(full_name: str) -> str | None:
    module, _, name = full_name.rpartition(".")
    return _STORAGES.get(name) if module in _MODULES_OF_STORAGES else None


_VALUES = frozenset(
    {
        *("BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINSTRING", "SHORT_BINSTRING"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
        *("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    }
)
_CONSTANTS: dict[str, Callable[[], Any]] = {
    "EMPTY_DICT": dict,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_SET": list,
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
}
_ACTIONS: dict[str, Callable[[_Interpreter, Any], None]] = {
    "PROTO": _Interpreter.protocol,
    "FRAME": _Interpreter.nothing,
    "MARK": _Interpreter.mark,
    "TUPLE": _Interpreter.tuple_of_marked,
    "TUPLE1": lambda self, _: self.tuple_of(1),
    "TUPLE2": lambda self, _: self.tuple_of(2),
    "TUPLE3": lambda self, _: self.tuple_of(3),
    "BINPUT": _Interpreter.put,
    "LONG_BINPUT": _Interpreter.put,
    "MEMOIZE": _Interpreter.put,
    "BINGET": _Interpreter.get,
    "LONG_BINGET": _Interpreter.get,
    "APPEND": _Interpreter.append,
    "APPENDS": _Interpreter.append_marked,
    "ADDITEMS": _Interpreter.append_marked,
    "SETITEM": _Interpreter.set_item,
    "SETITEMS": _Interpreter.set_marked,
    "GLOBAL": _Interpreter.global_name,
    "STACK_GLOBAL": _Interpreter.stacked_global,
    "REDUCE": _Interpreter.reduce,
    "BUILD": _Interpreter.build,
    "BINPERSID": _Interpreter.persistent,
}
_MEANINGS: dict[str, Callable[..., Any]] = {
    "collections.OrderedDict": _Interpreter.table,
    "torch._utils._rebuild_tensor_v2": _Interpreter.tensor,
    "torch._utils._rebuild_tensor": _Interpreter.tensor,
    "torch._utils._rebuild_parameter": _Interpreter.parameter,
    "torch._utils._rebuild_parameter_with_state": _Interpreter.parameter,
    "torch.Size": _Interpreter.sizes,
    "torch.device": _Interpreter.unneeded,
    "builtins.set": _Interpreter.members,
    "__builtin__.set": _Interpreter.members,
    "_codecs.encode": _Interpreter.encoded,
    "numpy.dtype": _Interpreter.unneeded,
    "numpy.core.multiarray.scalar": _Interpreter.unneeded,
    "numpy._core.multiarray.scalar": _Interpreter.unneeded,
}
