"""Private keys: files in one folder, apart from the database, so that a copy of the data can be made without them.

`keys/` is mode 700, each file 600: `{multikey}.ed25519.pem` and `{multikey}.rsa.pem` for an organisation,
`{multikey}.seal-{digest}.age` for what letters to it are sealed to (a new one every month, old ones are destroyed),
`application.rsa.pem` for the node's own actor, which signs GETs, `alerts.rsa.pem` for `@alerts`;
`{multikey}.network.age` for what members send to the network, until the first person is active (`rooms`).
The recovery key never lies here.
"""

import hashlib
import os
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from node.errors import ConfigurationError, ProtocolError
from node.federation.protocol import keys, sealing
from node.federation.protocol.keys import OrganisationKey
from node.federation.protocol.sealing import SealKey

KEY_FILES = frozenset({".pem", ".age"})
"""How the names of key files end."""


class Keyring:
    """The private keys of one node, loaded once each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._organisations: dict[str, OrganisationKey] = {}
        self._rsa: dict[str, RSAPrivateKey] = {}

    def create(self) -> OrganisationKey:
        """Make and keep the two keys of a new organisation."""
        key = keys.generate_organisation_key()
        self.adopt(key)
        return key

    def adopt(self, key: OrganisationKey) -> None:
        """Keep a key that becomes an organisation's (a recovery key that takes over), with a new RSA key."""
        self._keep(f"{key.multikey}.ed25519.pem", keys.private_pem(key.private))
        self._keep(f"{key.multikey}.rsa.pem", keys.private_pem(keys.generate_rsa_key()))
        if not (self.folder / "application.rsa.pem").exists():
            self._keep("application.rsa.pem", keys.private_pem(keys.generate_rsa_key()))

    def organisation(self, did: str) -> OrganisationKey:
        """The Ed25519 key that is this organisation.

        Raises:
            ConfigurationError: the key is not here.
        """
        if did not in self._organisations:
            key = self._read(f"{did.removeprefix(keys.DID_KEY)}.ed25519.pem")
            if not isinstance(key, Ed25519PrivateKey):
                raise ConfigurationError("an organisation's key file holds another kind of key")
            found = OrganisationKey(key)
            if found.did != did:
                raise ConfigurationError(f"the key file of {did} holds another organisation's key")
            self._organisations[did] = found
        return self._organisations[did]

    def has(self, did: str) -> bool:
        """Whether the organisation's keys are here: without them it can be read, and cannot speak."""
        name = did.removeprefix(keys.DID_KEY)
        return all((self.folder / f"{name}.{kind}.pem").exists() for kind in ("ed25519", "rsa"))

    def rsa(self, did: str) -> RSAPrivateKey:
        """The RSA key of an organisation's HTTP signatures.

        Raises:
            ConfigurationError: the key is not here.
        """
        return self._cached_rsa(f"{did.removeprefix(keys.DID_KEY)}.rsa.pem")

    @cached_property
    def application(self) -> RSAPrivateKey:
        """The RSA key of the node's own actor; made when it is first asked for, since a restored node may have none."""
        return self._made_rsa("application.rsa.pem")

    @cached_property
    def alerts(self) -> RSAPrivateKey:
        """The RSA key of `@alerts`; made when it is first asked for, since older nodes have none."""
        return self._made_rsa("alerts.rsa.pem")

    def add_sealing(self, did: str) -> SealKey:
        """Make and keep a key that letters to this organisation are sealed to."""
        key = sealing.generate()
        self._write(_sealing_name(did, key.public), key.secret.encode())
        return key

    def sealing(self, did: str, public: str) -> SealKey:
        """A sealing key.

        Raises:
            ConfigurationError: it is not here.
        """
        try:
            return sealing.load((self.folder / _sealing_name(did, public)).read_text("ascii"))
        except (OSError, ProtocolError) as error:
            raise ConfigurationError("a sealing key is not in the keyring: letters sealed to it stay sealed") from error

    def destroy_sealing(self, did: str, public: str) -> None:
        """Overwrite and remove a sealing key. What was sealed to it and is not opened stays sealed for ever."""
        destroy(self.folder / _sealing_name(did, public))

    def network(self, did: str) -> SealKey | None:
        """The key of the room "network" of an organisation that no person is active in; `None` where people are."""
        try:
            return sealing.load((self.folder / _network(did)).read_text("ascii").strip())
        except FileNotFoundError:
            return None

    def keep_network(self, did: str, key: SealKey) -> None:
        """Keep it; one that is there already stays."""
        self._keep(_network(did), key.secret.encode() + b"\n")

    def drop_network(self, did: str) -> None:
        """Destroy it: a person holds it now. What a disk remembers of a file is beyond us; encrypt the disk."""
        destroy(self.folder / _network(did))

    def exposed(self) -> tuple[str, ...]:
        """Key files that others on this machine could read."""
        return tuple(path.name for path in key_files(self.folder) if path.stat().st_mode & 0o077)

    def _made_rsa(self, name: str) -> RSAPrivateKey:
        if not (self.folder / name).exists():
            self._keep(name, keys.private_pem(keys.generate_rsa_key()))
        return self._cached_rsa(name)

    def _cached_rsa(self, name: str) -> RSAPrivateKey:
        if name not in self._rsa:
            key = self._read(name)
            if not isinstance(key, RSAPrivateKey):
                raise ConfigurationError(f"{name} holds another kind of key")
            self._rsa[name] = key
        return self._rsa[name]

    def _read(self, name: str) -> RSAPrivateKey | Ed25519PrivateKey:
        try:
            return keys.load_private_pem((self.folder / name).read_bytes())
        except OSError as error:
            raise ConfigurationError(
                f"the key file {name} is not in {self.folder.name}/: restore the keys, or this node cannot speak"
            ) from error

    def _keep(self, name: str, pem: bytes) -> None:
        """A succession that stopped half-way may be said again."""
        if not (self.folder / name).exists():
            self._write(name, pem)

    def _write(self, name: str, pem: bytes) -> None:
        """A key file is there whole or not at all, also after a power cut; it takes its name last."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync_folder(self.folder.parent)
        path, part = self.folder / name, self.folder / f".{name}.part"
        part.unlink(missing_ok=True)
        write_private(part, pem)
        try:
            os.link(part, path)
        except FileExistsError as error:
            raise ConfigurationError(f"{path} is there already; it is never overwritten") from error
        finally:
            part.unlink()
        sync_folder(self.folder)


def destroy(path: Path) -> None:
    """Overwrite a file and remove it; whether the disk keeps old blocks is the disk's affair, so it is encrypted."""
    try:
        with path.open("r+b") as file:
            file.write(bytes(path.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    except FileNotFoundError:
        return
    sync_folder(path.parent)


def _sealing_name(did: str, public: str) -> str:
    return f"{did.removeprefix(keys.DID_KEY)}.seal-{hashlib.sha256(public.encode()).hexdigest()[:16]}.age"


def key_files(folder: Path) -> tuple[Path, ...]:
    """Every key file in a folder."""
    return tuple(path for path in sorted(folder.glob("*")) if path.suffix in KEY_FILES)


def _network(did: str) -> str:
    return f"{did.removeprefix(keys.DID_KEY)}.network.age"


def write_private(path: Path, content: bytes) -> None:
    """Write a new file that only its owner can read; it and its name are flushed to disk.

    Raises:
        ConfigurationError: it is there already, or cannot be written.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise ConfigurationError(f"{path} is there already; it is never overwritten") from error
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to disk: a file that was flushed without its name is lost with the power."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
