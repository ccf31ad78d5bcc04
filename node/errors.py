"""Every deliberate error of the node, and what each one means for the work that met it.

`ProtocolError`: they broke a standard (refused, 4xx). `FetchError`: the wire or the peer failed (retry, then failed).
`ReplicaError`: a mirrored log does not hold together (quarantine). `RefusedError`: a rule of ours said no to our own
operator. `ConfigurationError`: the node cannot start. Anything else is our bug.
"""


class NodeError(Exception):
    """The root of every deliberate error."""


class ProtocolError(NodeError):
    """Somebody else's message broke a standard; `spec` names the rule, `status` is the HTTP answer."""

    def __init__(self, reason: str, *, spec: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason = reason
        self.spec = spec
        self.status = status

    def __str__(self) -> str:
        return f"{self.reason} ({self.spec})"


class FetchError(NodeError):
    """A document could not be had. `retryable`: later may help. `status`: the peer's, where it gave one."""

    def __init__(self, reason: str, *, retryable: bool, status: int | None = None, retry_after: float = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retryable = retryable
        self.status = status
        self.retry_after = retry_after
        """Seconds the peer asked us to wait (RFC 9110 §10.2.3), 0 where it did not."""


class ReplicaError(NodeError):
    """A log entry does not fit the log it claims to belong to: kept aside as evidence, never shown as whole."""

    def __init__(self, reason: str, *, spec: str = "Tadamun log §3") -> None:
        super().__init__(reason)
        self.reason = reason
        self.spec = spec


class RefusedError(NodeError):
    """A rule said no to our own operator. One sentence for each reason; the command line prints them in one line."""

    def __init__(self, *reasons: str) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


class ConfigurationError(NodeError):
    """The node cannot start: one line that names the setting and the mend."""
