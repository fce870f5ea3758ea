"""Every step of the sweep, in the order of its report."""

from __future__ import annotations

from access_steps import Accept, HolderAdd, HolderLeave, Reconnect, Revoke, SealAll, Setup
from key_steps import Kit, Passphrase, Recover, RotateKeyring, RotateRoot, RotateWorkspaces
from step import Step
from store_steps import Migrate, MigrateStore
from story_steps import Connect, CutOff, Delete, FindReply, Init, Reseal, Send, Start

STEPS: tuple[type[Step], ...] = (
    Init, Start, Setup, Connect, Send, FindReply, Accept, Reseal, Revoke, Reconnect, HolderAdd,
    HolderLeave, SealAll, CutOff, Delete, RotateRoot, RotateKeyring, RotateWorkspaces, Kit,
    Passphrase, Recover, Migrate, MigrateStore,
)
