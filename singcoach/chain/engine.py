"""The loaded networks and the cache that assessments share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from singcoach.chain.cache import Arrays, Cache
from singcoach.chain.settings import Device, Profile
from singcoach.core.assessment import ModelUse
from singcoach.errors import ModelError
from singcoach.jobs import NO_JOB, Job
from singcoach.models.catalogue import Catalogue, VerifiedModel
from singcoach.models.device_session import DeviceSession, Network, open_on_device
from singcoach.models.language import LanguageModel
from singcoach.models.language.choice import find_language_model, open_language_model
from singcoach.models.manifest import ModelEntry
from singcoach.models.memory import NotEnoughMemoryError
from singcoach.models.roformer.config import RoformerConfig
from singcoach.models.sessions import AnySession, open_session
from singcoach.models.trial import trial_inputs
from singcoach.models.whisper.truncated import singing_entry, singing_model
from singcoach.regions.detector import SingingDetector
from singcoach.separation.roformer_pack import open_roformer

_ACCELERATORS = ("cuda", "mps")
_CPU = "CPUExecutionProvider"
_ENCODER_WORK_BYTES = 400_000_000
"""What a window of 20 s takes in the largest encoder while it runs, over the weights."""

HUBERT_PART = "hubert"
RoformerRole = Literal["separation", "dereverb"]
_ROFORMER_ROLES: tuple[RoformerRole, ...] = ("separation", "dereverb")
_ENCODER_ROLES = ("encoder_general", "encoder_singing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roformer:
    """A network of a pack that takes something out of a recording at its full rate."""

    session: DeviceSession
    config: RoformerConfig
    batch: int


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
        self._sessions: dict[ModelEntry, AnySession] = {}
        self._roformers: dict[tuple[str, str], tuple[DeviceSession, RoformerConfig]] = {}
        self._kept_warnings: list[str] = []
        self._uses: dict[str, ModelUse] = {}
        self._set_aside: dict[tuple[str, str], str] = {}

    def start_take(self, profile: Profile) -> None:
        """Forget which models took part, and work by ``profile`` from here on."""
        self._profile = profile
        self._uses.clear()
        self._set_aside.clear()
        self._kept_warnings.clear()
        for session in self._device_sessions():
            session.begin_take()

    @property
    def uses(self) -> tuple[ModelUse, ...]:
        """The models that took part in the current take (from the cache or anew), by role."""
        return tuple(self._uses[name] for name in sorted(self._uses))

    def warnings(self) -> tuple[str, ...]:
        """Return what the user should know about where and with which networks the take ran."""
        warnings = [*self._set_aside.values(), *self._kept_warnings]
        for session in self._device_sessions():
            warnings += session.warnings
        if self._profile == "best":
            warnings += [
                f"The pack {pack.id} was passed by: {pack.fault}"
                for pack in self._catalogue.packs
                if pack.fault is not None
            ]
            if not warnings and not self._has_packs():
                warnings.append(
                    "No stronger model packs are installed, so the embedded models did the work"
                )
        used = (name.partition("/") for name in self._uses)
        if self.device in _ACCELERATORS and not any(
            self.pack(role, part) for role, _, part in used
        ):
            warnings.append(
                f"The embedded models run on the processor; --device {self.device} "
                "has no effect on them"
            )
        return tuple(dict.fromkeys(warnings))

    def pack(self, role: str, part: str = "") -> str | None:
        """Return the id of the pack that does the work of ``role``; None: the embedded model."""
        part = "network" if role in _ROFORMER_ROLES else part
        if self._profile != "best" or (role, part) in self._set_aside:
            return None
        pack = self._catalogue.newest_pack(role, part)
        return pack.id if pack is not None else None

    def entry(self, role: str, part: str = "", *, provider: str = _CPU) -> ModelEntry:
        """Return the entry that fills ``role`` and note that it takes part.

        Raises
        ------
        ModelError
            No installed model fills the role.
        """
        entry = self._catalogue.find(role, part, pack=self.pack(role, part))
        if entry is None:
            raise _no_model(role)
        self._note(entry, provider)
        return entry

    def language_model(self) -> ModelEntry | None:
        """Return the language model that would write the coach's words; None: there is none."""
        return find_language_model(self._catalogue)

    def open_language_model(self, job: Job = NO_JOB, *, load_timeout_s: float) -> LanguageModel:
        """Start that model in a process of its own; see :class:`LanguageModel`."""
        return open_language_model(self._catalogue, job, load_timeout_s=load_timeout_s)

    def note_language_model(self) -> None:
        """Note that the language model takes part: words of it are in the feedback."""
        entry = self.language_model()
        if entry is not None:
            self._note(entry, "llama.cpp")

    def forget(self, role: str, part: str = "") -> None:
        """Take back that a model takes part: its result was not needed after all."""
        self._uses.pop(f"{role}/{part}", None)

    def model(self, role: str, part: str = "", *, provider: str = _CPU) -> VerifiedModel:
        """Read and check a model that does not run in a session of ours."""
        self.entry(role, part, provider=provider)
        return self._catalogue.require(role, part, pack=self.pack(role, part))

    def session(self, role: str, part: str = "") -> AnySession:
        """Return the session of a role, opened and checked on first use.

        A pack runs where it runs best; where memory is too short for it, it is set aside for this
        take and the embedded model opened.
        """
        session = self._session_of_pack(role, part)
        if session is None:
            entry = self.entry(role, part)
            if entry not in self._sessions:
                model = self._catalogue.require(role, part)
                self._sessions[entry] = open_session(model, threads=self.threads)
            session = self._sessions[entry]
        return session

    def hubert(self) -> AnySession | None:
        """Return the session of HuBERT-soft where a pack has it and memory is enough."""
        return self._session_of_pack("encoder_singing", HUBERT_PART)

    def singing_encoder(self) -> tuple[AnySession, ModelEntry]:
        """Return the session of the role ``encoder_singing`` and what it runs.

        Without a pack it is the beginning of the embedded general encoder.
        """
        session = self._session_of_pack("encoder_singing")
        entry = self.singing_entry(provider=session.provider if session is not None else _CPU)
        if session is None:
            if entry not in self._sessions:
                general = self._catalogue.require("encoder_general")
                self._sessions[entry] = open_session(singing_model(general), threads=self.threads)
            session = self._sessions[entry]
        return session, entry

    def singing_entry(self, *, provider: str = _CPU) -> ModelEntry:
        """Return the entry of the singing encoder and note that it takes part."""
        if self.pack("encoder_singing") is not None:
            return self.entry("encoder_singing", provider=provider)
        general = self._catalogue.find("encoder_general")
        if general is None:
            raise _no_model("encoder_singing")
        entry = singing_entry(general)
        self._note(entry, _CPU)
        return entry

    def keep(self, key: str, arrays: Arrays) -> None:
        """Store a result, unless a device gave up on the way: its numbers would come again."""
        if not self.changed:
            self.cache.store(key, arrays)

    @property
    def changed(self) -> bool:
        """Whether a device of a pack gave up on the way."""
        return any(session.changed for session in self._device_sessions())

    def stop(self) -> None:
        """End the runs of every encoder that are under way in other threads."""
        for entry, session in list(self._sessions.items()):
            if entry.role in _ENCODER_ROLES:
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
        if (pack, role) not in self._roformers:
            graph = self.entry(role, "network")
            weights = self._catalogue.find(role, "weights", pack=pack)
            try:
                self._roformers[pack, role] = open_roformer(
                    graph, weights, wanted=self.device, threads=self.threads, job=job
                )
            except NotEnoughMemoryError as error:
                self._set_aside_pack(role, "network", error)
                return None
        session, config = self._roformers[pack, role]
        try:
            batch = session.batch_size()
        except NotEnoughMemoryError as error:
            self._set_aside_pack(role, "network", error)
            return None
        self.ran(role)
        return Roformer(session=session, config=config, batch=batch)

    def pack_contents(self, role: RoformerRole) -> list[str]:
        """Return what tells the pack that does the work of ``role`` from others: hashes, config."""
        pack = self.pack(role)
        found = [self._catalogue.find(role, part, pack=pack) for part in ("network", "weights")]
        return [
            text for entry in found if entry is not None for text in (entry.sha256, entry.config)
        ]

    def ran(self, role: RoformerRole) -> None:
        """Note where the pack of a role ran so far in this take."""
        session = self._opened_session(role)
        if session is not None:
            self._note_pack(role, session.provider)

    def what_ran(self, role: RoformerRole) -> str:
        """Return as JSON text what a kept result has to say of the pack that made it."""
        self.ran(role)
        session = self._opened_session(role)
        if session is None:
            return "{}"
        return json.dumps({"provider": session.provider, "warnings": session.warnings})

    def ran_before(self, role: RoformerRole, what: str) -> None:
        """Note what :meth:`what_ran` said when the result was made that is used now."""
        values = json.loads(what)
        if values:
            self._note_pack(role, values["provider"])
            self._kept_warnings += values["warnings"]

    def release_memory(self, role: RoformerRole) -> None:
        """Give back what the runs of a pack's network worked in; its weights stay."""
        session = self._opened_session(role)
        if session is not None:
            session.release_memory()

    def singing_detector(self) -> SingingDetector:
        """Return a fresh detector of singing, speech and music; the caller closes it."""
        return SingingDetector(self.model("singing_detector", provider="ncnn"))

    def _opened_session(self, role: RoformerRole) -> DeviceSession | None:
        pack = self.pack(role)
        opened = self._roformers.get((pack, role)) if pack is not None else None
        return opened[0] if opened is not None else None

    def _device_sessions(self) -> Iterator[DeviceSession]:
        """Yield the sessions of the packs that are in force."""
        for role in _ROFORMER_ROLES:
            opened = self._opened_session(role)
            if opened is not None:
                yield opened
        for entry, session in list(self._sessions.items()):
            if isinstance(session, DeviceSession) and self.pack(entry.role, entry.part):
                yield session

    def _note_pack(self, role: RoformerRole, provider: str) -> None:
        self.forget(role, "network")
        self.forget(role, "weights")
        part = "weights" if provider.startswith("torch") else "network"
        self.entry(role, part, provider=provider)

    def _has_packs(self) -> bool:
        roles = {entry.role for pack in self._catalogue.packs for entry in pack.entries}
        return not roles.isdisjoint({*_ROFORMER_ROLES, *_ENCODER_ROLES, "heads"})

    def _session_of_pack(self, role: str, part: str = "") -> AnySession | None:
        if self.pack(role, part) is None:
            return None
        entry = self.entry(role, part)
        if entry not in self._sessions:
            try:
                self._sessions[entry] = self._open(entry)
            except NotEnoughMemoryError as error:
                self._set_aside_pack(role, part, error)
                return None
        session = self._sessions[entry]
        self._note(entry, session.provider)
        return session

    def _open(self, entry: ModelEntry) -> DeviceSession:
        second = {"frames": 100, "n_frames": 100, "samples": 16_000, "n_samples": 16_000}
        return open_on_device(
            Network(graph=entry, bytes_per_item=_ENCODER_WORK_BYTES),
            wanted=self.device,
            trial_inputs=lambda: trial_inputs(entry, second),
            threads=self.threads,
        )

    def _set_aside_pack(self, role: str, part: str, error: NotEnoughMemoryError) -> None:
        instead = "" if part == HUBERT_PART else "; the embedded model did its work"
        told = str(error)
        self._set_aside[role, part] = (
            f"The pack {self.pack(role, part)} was left out as {role}: "
            f"{told[:1].lower()}{told[1:]}{instead}"
        )
        self.forget(role, part)

    def _note(self, entry: ModelEntry, provider: str) -> None:
        self._uses[f"{entry.role}/{entry.part}"] = ModelUse(
            role=entry.role,
            id=entry.id,
            version=entry.version,
            sha256=entry.sha256,
            licence=entry.licence,
            provider=provider,
        )


def _no_model(role: str) -> ModelError:
    return ModelError(
        f"no model for {role} is installed",
        hint="Run `singcoach models list` to see what is missing",
    )
