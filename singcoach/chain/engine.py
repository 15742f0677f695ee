"""The loaded networks and the cache that assessments share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from singcoach.chain.cache import Cache
from singcoach.chain.settings import Device, Profile
from singcoach.core.assessment import ModelUse
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.device_session import DeviceSession
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import NotEnoughMemoryError
from singcoach.models.roformer.config import RoformerConfig
from singcoach.models.sessions import Session, open_session
from singcoach.regions.detector import SingingDetector
from singcoach.separation.roformer_pack import open_roformer

_ACCELERATORS = ("cuda", "mps")
_CPU = "CPUExecutionProvider"
_PACK_ROLES = ("separation", "dereverb", "encoder_general", "encoder_singing")

RoformerRole = Literal["separation", "dereverb"]
_ROFORMER_ROLES: tuple[RoformerRole, ...] = ("separation", "dereverb")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roformer:
    """A network of a pack that takes something out of a recording at its full rate."""

    session: DeviceSession
    config: RoformerConfig


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
        Where the user wants the networks of packs to run; the embedded ones are small and run on
        the processor.
    profile
        ``best`` puts the user's packs in the place of the embedded models.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue | None = None,
        cache: Cache | None = None,
        threads: int | None = None,
        device: Device = "auto",
        profile: Profile = "balanced",
    ) -> None:
        self._catalogue = catalogue if catalogue is not None else Catalogue.default()
        self.cache = cache if cache is not None else Cache(None)
        self.threads = threads
        self.device = device
        self._profile: Profile = profile
        self._sessions: dict[ModelEntry, Session] = {}
        self._roformers: dict[tuple[str, str], Roformer] = {}
        self._uses: dict[str, ModelUse] = {}
        self._set_aside: dict[str, str] = {}

    def start_take(self, profile: Profile) -> None:
        """Forget which models took part, and work by ``profile`` from here on."""
        self._profile = profile
        self._uses.clear()
        self._set_aside.clear()
        for roformer in self._roformers.values():
            roformer.session.begin_take()

    @property
    def uses(self) -> tuple[ModelUse, ...]:
        """The models that took part in the current take (from the cache or anew), by role."""
        return tuple(self._uses[name] for name in sorted(self._uses))

    def warnings(self) -> tuple[str, ...]:
        """Return what the user should know about where and with which networks the take ran."""
        warnings = [*self._set_aside.values()]
        opened = [self._opened(role) for role in _ROFORMER_ROLES]
        for roformer in opened:
            warnings += roformer.session.warnings if roformer is not None else ()
        in_force = [role for role in _PACK_ROLES if self.pack(role) is not None]
        if self._profile == "best" and not in_force and not self._set_aside:
            warnings.append(
                "No stronger model packs are installed, so the profile best did what balanced does"
            )
        if self.device in _ACCELERATORS and not any(opened):
            warnings.append(
                f"The embedded models run on the processor; --device {self.device} "
                "has no effect on them"
            )
        return tuple(dict.fromkeys(warnings))

    def pack(self, role: str) -> str | None:
        """Return the id of the pack that does the work of ``role``; None: the embedded model."""
        if self._profile != "best" or role in self._set_aside:
            return None
        pack = self._catalogue.newest_pack(role)
        return pack.id if pack is not None else None

    def entry(self, role: str, part: str = "", *, provider: str = _CPU) -> ModelEntry:
        """Return the entry that fills ``role`` and note that it takes part.

        Raises
        ------
        ModelError
            No installed model fills the role.
        """
        entry = self._catalogue.find(role, part, pack=self.pack(role))
        if entry is None:
            raise ModelError(
                f"no model for {role} is installed",
                hint="Run `singcoach models list` to see what is missing",
            )
        self._note(entry, provider)
        return entry

    def forget(self, role: str, part: str = "") -> None:
        """Take back that a model takes part: its result was not needed after all."""
        self._uses.pop(f"{role}/{part}", None)

    def model(self, role: str, part: str = "", *, provider: str = _CPU) -> VerifiedModel:
        """Read and check a model that does not run in a session of ours."""
        self.entry(role, part, provider=provider)
        return self._catalogue.require(role, part, pack=self.pack(role))

    def session(self, role: str, part: str = "") -> Session:
        """Return the session of a role, opened and checked on first use."""
        entry = self.entry(role, part)
        if entry not in self._sessions:
            model = self._catalogue.require(role, part, pack=self.pack(role))
            self._sessions[entry] = open_session(model, threads=self.threads)
        return self._sessions[entry]

    def stop(self, role: str, part: str = "") -> None:
        """End the runs of a role's session that are under way in other threads."""
        entry = self._catalogue.find(role, part, pack=self.pack(role))
        session = self._sessions.get(entry) if entry is not None else None
        if session is not None:
            session.stop()

    def roformer(self, role: RoformerRole, job: Job = NO_JOB) -> Roformer | None:
        """Return the network of the pack that does the work of ``role``, opened on first use.

        None where the embedded model does it: without a pack, in other profiles, and from here to
        the end of the take where memory is too short for the pack, which becomes a warning.

        Raises
        ------
        ModelError
            The pack is damaged or cannot be run.
        """
        pack = self.pack(role)
        if pack is None:
            return None
        roformer = self._roformers.get((pack, role))
        if roformer is None:
            graph = self.entry(role, "network")
            weights = self._catalogue.find(role, "weights", pack=pack)
            try:
                session, config = open_roformer(
                    graph, weights, wanted=self.device, threads=self.threads, job=job
                )
            except NotEnoughMemoryError as error:
                self._set_aside[role] = f"{error}, so the embedded model was used instead"
                self.forget(role, "network")
                return None
            roformer = Roformer(session=session, config=config)
            self._roformers[pack, role] = roformer
        self.ran(role, roformer.session.provider)
        return roformer

    def pack_hashes(self, role: str) -> list[str]:
        """Return the SHA-256 of the files of the pack that does the work of ``role``."""
        pack = self.pack(role)
        found = [self._catalogue.find(role, part, pack=pack) for part in ("network", "weights")]
        return [entry.sha256 for entry in found if entry is not None]

    def ran(self, role: RoformerRole, provider: str) -> None:
        """Note where the pack of a role ran, in this take or when a kept result was made."""
        pack = self.pack(role)
        if pack is None:
            return
        self.forget(role, "network")
        self.forget(role, "weights")
        self.entry(
            role, "weights" if provider.startswith("torch") else "network", provider=provider
        )

    def release_memory(self, role: RoformerRole) -> None:
        """Give back what the runs of a pack's network worked in; its weights stay."""
        opened = self._opened(role)
        if opened is not None:
            opened.session.release_memory()

    def provider(self, role: RoformerRole) -> str:
        """Return what runs the models of a role."""
        opened = self._opened(role)
        return opened.session.provider if opened is not None else _CPU

    def changed(self, role: RoformerRole) -> bool:
        """Whether a device gave up on the way, so that a result is not to be kept."""
        opened = self._opened(role)
        return opened is not None and opened.session.changed

    def singing_detector(self) -> SingingDetector:
        """Return a fresh detector of singing, speech and music; the caller closes it."""
        return SingingDetector(self.model("singing_detector", provider="ncnn"))

    def _opened(self, role: RoformerRole) -> Roformer | None:
        pack = self.pack(role)
        return self._roformers.get((pack, role)) if pack is not None else None

    def _note(self, entry: ModelEntry, provider: str) -> None:
        self._uses[f"{entry.role}/{entry.part}"] = ModelUse(
            role=entry.role,
            id=entry.id,
            version=entry.version,
            sha256=entry.sha256,
            licence=entry.licence,
            provider=provider,
        )
