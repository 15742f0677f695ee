"""The loaded networks and the cache that assessments share."""

from __future__ import annotations

from singcoach import resources
from singcoach.chain.cache import Cache
from singcoach.chain.settings import Device, Profile
from singcoach.core.assessment import ModelUse
from singcoach.errors import ModelError
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.manifest import ModelEntry
from singcoach.models.sessions import Session, open_session
from singcoach.regions.detector import SingingDetector

_ACCELERATORS = ("cuda", "mps")
_CPU = "CPUExecutionProvider"


class Engine:
    """Opens each model once, on first use, after its hash was checked; keeps it for the next take.

    Parameters
    ----------
    catalogue
        The models; the installed ones by default.
    cache
        Where results are kept; nowhere by default.
    threads
        Threads per network; None means every core.
    device
        Where the user wants the networks to run.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue | None = None,
        cache: Cache | None = None,
        threads: int | None = None,
        device: Device = "auto",
    ) -> None:
        self._catalogue = catalogue if catalogue is not None else Catalogue.default()
        self.cache = cache if cache is not None else Cache(None)
        self.threads = threads
        self._device = device
        self._sessions: dict[tuple[str, str], Session] = {}
        self._uses: dict[str, ModelUse] = {}

    def start_take(self) -> None:
        """Forget which models took part; call at the start of each take."""
        self._uses.clear()

    @property
    def uses(self) -> tuple[ModelUse, ...]:
        """The models that took part in the current take (from the cache or anew), by role."""
        return tuple(self._uses[name] for name in sorted(self._uses))

    def warnings(self, profile: Profile = "balanced") -> tuple[str, ...]:
        """Return what the user should know about where and with which networks the take ran."""
        warnings = []
        if self._device in _ACCELERATORS:
            warnings.append(
                f"The embedded models run on the processor; --device {self._device} "
                "has no effect on them"
            )
        shipped = resources.models_dir()
        if profile == "best" and all(e.folder == shipped for e in self._catalogue.entries):
            warnings.append(
                "No stronger model packs are installed, so the profile best did what balanced does"
            )
        return tuple(warnings)

    def entry(self, role: str, part: str = "", *, provider: str = _CPU) -> ModelEntry:
        """Return the entry that fills ``role`` and note that it takes part.

        Raises
        ------
        ModelError
            No installed model fills the role.
        """
        entry = self._catalogue.find(role, part)
        if entry is None:
            raise ModelError(
                f"no model for {role} is installed",
                hint="Run `singcoach models list` to see what is missing",
            )
        self._uses[f"{role}/{part}"] = ModelUse(
            role=role,
            id=entry.id,
            version=entry.version,
            sha256=entry.sha256,
            licence=entry.licence,
            provider=provider,
        )
        return entry

    def forget(self, role: str, part: str = "") -> None:
        """Take back that a model takes part: its result was not needed after all."""
        self._uses.pop(f"{role}/{part}", None)

    def model(self, role: str, part: str = "", *, provider: str = _CPU) -> VerifiedModel:
        """Read and check a model that does not run in a session of ours."""
        self.entry(role, part, provider=provider)
        return self._catalogue.require(role, part)

    def session(self, role: str, part: str = "") -> Session:
        """Return the session of a role, opened and checked on first use."""
        self.entry(role, part)
        key = (role, part)
        if key not in self._sessions:
            self._sessions[key] = open_session(
                self._catalogue.require(role, part), threads=self.threads
            )
        return self._sessions[key]

    def stop(self, role: str, part: str = "") -> None:
        """End the runs of a role's session that are under way in other threads."""
        session = self._sessions.get((role, part))
        if session is not None:
            session.stop()

    def singing_detector(self) -> SingingDetector:
        """Return a fresh detector of singing, speech and music; the caller closes it."""
        return SingingDetector(self.model("singing_detector", provider="ncnn"))
