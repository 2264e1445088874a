"""What `eseal verify` found, in words for people who were not there."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

MAX_TOLD = 20  # of each kind of fault; the count says how many there were

Words = tuple[str, str]  # Chinese, English


@dataclass(frozen=True, slots=True)
class Receipt:
    """A cosignature in the bundle: size it covers, who signed when (None: no given key did)."""

    size: int
    name: str
    unix_s: int | None


@dataclass(slots=True)
class Report:
    """The outcome of checking one bundle.

    Attributes:
        trusted: name of the given key that signed the checkpoint; empty if none did.
        vkey: the gateway's public key as the bundle names it.
        origin, start, size: the log, its first record here, and the end of what is signed.
        end: one past the last record here, read or known by its hash only.
        read: records that were read.
        hashed: runs (first, last) of records of which only hashes are here.
        first_time, last_time: their `time`, RFC 3339 UTC.
        receipts: those that fit the tree.
        evidence: files that were there and right.
        missing: SHA-256 of files that records name and the bundle lacks.
        rotated: indexes of the records that changed the gateway's key.
        follows: the log that this one goes on from, and how many records were lost at least.
        problems: everything that does not hold.
    """

    trusted: str = ""
    vkey: str = ""
    origin: str = ""
    start: int = 0
    size: int = 0
    end: int = 0
    read: int = 0
    hashed: list[tuple[int, int]] = field(default_factory=list)
    first_time: str = ""
    last_time: str = ""
    receipts: list[Receipt] = field(default_factory=list)
    evidence: int = 0
    missing: list[str] = field(default_factory=list)
    rotated: list[int] = field(default_factory=list)
    follows: tuple[str, int] | None = None
    problems: list[Words] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether everything holds and a given key signed it."""
        return bool(self.trusted) and not self.problems

    def text(self) -> str:
        """Plain words, Chinese and English, a pair of lines for each point."""
        lines: list[Words] = [self._verdict(), *self._signature(), *self._content()]
        lines += self._history()
        lines += self._hashed()
        lines += self._receipts()
        lines += self._evidence()
        told = self.problems[:MAX_TOLD]
        lines += [(f"不成立：{zh}", f"does not hold: {en}") for zh, en in told]
        more = len(self.problems) - len(told)
        if more:
            lines.append((f"另有 {more} 处问题。", f"and {more} more."))
        return "\n".join(f"{zh}\n  {en}" for zh, en in lines)

    def _verdict(self) -> Words:
        if self.sound and self.hashed:
            return (
                "结论：可信。现有记录未被改动；其余记录只留哈希，内容不在文件中。",
                (
                    "Verdict: sound. The records that are here are unchanged; of the others only "
                    "hashes are left, their content is not here."
                ),
            )
        if self.sound:
            return (
                "结论：可信。记录完整，未被改动。",
                "Verdict: sound. The records are complete and unchanged.",
            )
        if self.problems:
            return (
                "结论：不可信。记录不完整或被改动过。",
                "Verdict: NOT sound. The records are incomplete or were changed.",
            )
        return (
            "结论：不能认定。文件自身一致，但没有可信公钥为它作证，任何人都可以做出这样的文件。",
            (
                "Verdict: NOT established. The file agrees with itself, but no trusted key vouches "
                "for it, and anybody can make such a file."
            ),
        )

    def _signature(self) -> list[Words]:
        if self.trusted:
            return [
                (f"检查点由 {self.trusted} 签名。", f"The checkpoint is signed by {self.trusted}.")
            ]
        if not self.vkey:
            return []
        return [
            (
                f"文件自称的网关公钥：{self.vkey}。请与备案公钥核对，并用 --key 给出。",
                (
                    f"The gateway key that the file itself names: {self.vkey}. Compare it with "
                    "the one that was enrolled, and give that with --key."
                ),
            )
        ]

    def _content(self) -> list[Words]:
        if not self.read:
            return [("没有读到记录。", "No record was read.")]
        last = self.end - 1
        return [
            (
                (
                    f"{self.origin}：第 {self.start} 至 {last} 条记录，"
                    f"{self.first_time} 至 {self.last_time}（签名覆盖 {self.size} 条）。"
                ),
                (
                    f"{self.origin}: records {self.start} to {last}, from {self.first_time} to "
                    f"{self.last_time} (the signature covers {self.size})."
                ),
            )
        ]

    def _history(self) -> list[Words]:
        """Where the key was changed, and what the log goes on from."""
        lines = [
            (
                f"第 {index} 条记录起更换网关密钥，新旧密钥均已签名。",
                f"Record {index} changes the gateway's key; the old and the new one signed it.",
            )
            for index in self.rotated[:MAX_TOLD]
        ]
        if self.follows is not None:
            origin, lost = self.follows
            lines.append(
                (
                    f"本账本接在中断的 {origin} 之后；当时至少丢失 {lost} 条记录，旧账本不完整。",
                    (
                        f"This log goes on from {origin}, which broke off; at least {lost} records "
                        "were lost then, and that log is not complete."
                    ),
                )
            )
        return lines

    def _hashed(self) -> list[Words]:
        """Records whose content is missing."""
        lines: list[Words] = []
        if self.hashed:
            count = sum(last - first + 1 for first, last in self.hashed)
            lines.append(
                (
                    f"其中 {count} 条只有哈希：内容已按保存期限删去，次序与数量仍受签名保护。",
                    (
                        f"Of {count} of them only the hash is here: retention deleted the content. "
                        "Their number and order are still covered by the signature."
                    ),
                )
            )
        told = self.hashed[:MAX_TOLD]
        lines += [
            (f"只有哈希：第 {a} 至 {b} 条", f"hash only: records {a} to {b}") for a, b in told
        ]
        if len(self.hashed) > MAX_TOLD:
            lines.append(("……", "…"))
        return lines

    def _receipts(self) -> list[Words]:
        """Of each signer the receipt that covers most; the others say less."""
        if not self.receipts:
            return [("没有上级平台回执。", "There is no receipt by the province.")]
        groups: dict[tuple[str, bool], list[Receipt]] = {}
        for item in self.receipts:
            groups.setdefault((item.name, item.unix_s is None), []).append(item)
        lines: list[Words] = []
        for items in groups.values():
            zh, en = _receipt(max(items, key=lambda item: item.size))
            if len(items) > 1:
                zh += f"另有 {len(items) - 1} 份覆盖较少的回执。"
                en += f" {len(items) - 1} more receipts cover less."
            lines.append((zh, en))
        return lines

    def _evidence(self) -> list[Words]:
        lines = [
            (
                f"证据文件：{self.evidence} 个完好，{len(self.missing)} 个缺失。",
                (
                    f"Evidence files: {self.evidence} present and unchanged, "
                    f"{len(self.missing)} missing."
                ),
            )
        ]
        told = self.missing[:MAX_TOLD]
        lines += [(f"缺失 {digest}", f"missing {digest}") for digest in told]
        if len(self.missing) > MAX_TOLD:
            lines.append(("……", "…"))
        return lines


def _receipt(item: Receipt) -> Words:
    if item.unix_s is None:
        return (
            f"前 {item.size} 条有 {item.name} 的回执，但没有给出它的公钥，未验证。",
            (
                f"{item.name} is said to have received the first {item.size} records; "
                "its key was not given, so this was not checked."
            ),
        )
    when = datetime.fromtimestamp(item.unix_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{item.name} 于 {when} 确认收到前 {item.size} 条记录。",
        f"{item.name} confirmed at {when} that it holds the first {item.size} records.",
    )
