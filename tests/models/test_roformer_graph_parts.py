"""Products with rounded weights, and loops over groups."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from singcoach.models.manifest import TensorSpec
from singcoach.models.roformer.graph_parts import Scope, by_groups, product
from singcoach.models.whisper.onnx_file import OnnxFile


def run(tmp_path, x, add):
    """Return what the graph that ``add`` makes of ``x`` returns."""
    file = OnnxFile("test")
    result = add(Scope(file), "x")
    path = tmp_path / "test.onnx"
    shape = tuple(f"axis_{i}" for i in range(x.ndim))
    file.write(
        path,
        inputs=[TensorSpec(name="x", dtype="float32", shape=shape)],
        outputs=[TensorSpec(name=result, dtype="float32", shape=shape)],
    )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


@pytest.fixture
def problem():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 50, 64), dtype=np.float32)
    matrix = rng.standard_normal((48, 64), dtype=np.float32)
    return x, matrix, rng.standard_normal(48, dtype=np.float32)


def rounded(tmp_path, x, matrix, bias, **settings):
    return run(
        tmp_path,
        x,
        lambda scope, name: product(
            scope, name, "y", matrix.shape, lambda: matrix,
            None if bias is None else lambda: bias, **settings,
        ),
    )  # fmt: skip


@pytest.mark.parametrize("with_bias", [False, True])
@pytest.mark.parametrize("even", [False, True])
def test_a_product_is_that_of_its_weights(tmp_path, problem, with_bias, even):
    x, matrix, bias = problem
    bias = bias if with_bias else None
    wanted = x @ matrix.T + (0 if bias is None else bias)
    exact = rounded(tmp_path, x, matrix, bias, precision="fp32", even=even)
    assert np.abs(exact - wanted).max() < 1e-4
    close = rounded(tmp_path, x, matrix, bias, precision="int8", even=even)
    assert 0 < np.linalg.norm(close - wanted) / np.linalg.norm(wanted) < 0.03


def test_an_odd_number_of_inputs_stays_exact(tmp_path, problem):
    x, matrix, bias = problem
    found = rounded(tmp_path, x[..., :63].copy(), matrix[:, :63], bias, precision="int8")
    assert np.abs(found - (x[..., :63] @ matrix[:, :63].T + bias)).max() < 1e-4


def test_a_loud_vector_does_not_coarsen_the_others(tmp_path, problem):
    x, matrix, bias = problem
    x = x.copy()
    x[1, 7] *= 1000.0
    wanted = x @ matrix.T + bias
    quiet = np.ones(x.shape[:2], dtype=bool)
    quiet[1, 7] = False

    def error(even: bool) -> float:
        found = rounded(tmp_path, x, matrix, bias, precision="int8", even=even)
        return float(np.linalg.norm((found - wanted)[quiet]) / np.linalg.norm(wanted[quiet]))

    assert error(even=True) < 0.03
    assert error(even=False) > 0.5


def test_a_zero_vector_gives_the_bias(tmp_path, problem):
    x, matrix, bias = problem
    x = x.copy()
    x[0] = 0.0
    found = rounded(tmp_path, x, matrix, bias, precision="int8", even=True)
    assert np.abs(found[0] - bias).max() < 1e-6


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_groups_are_joined_in_their_order(tmp_path, axis, size):
    x = np.arange(7 * 5 * 2, dtype=np.float32).reshape(7, 5, 2)

    def work(body, group):
        return body.node("Neg", [group], f"negative.{axis}")

    found = run(
        tmp_path,
        x,
        lambda scope, name: by_groups(scope, name, "g", axis=axis, size=size, work=work),
    )
    assert np.array_equal(found, -x)
