"""Files beside the proxy that a user's object may name: below one configured folder, or not at all (invariant 9).

Checked here by the path's text alone; the proxy checks again with symlinks resolved when it opens the file.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from wardgate.ir import FileRef
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.translate.tenancy import Tenancy


def file_below(
    path: str, root: str | None, *, setting: str, ref: ObjectRef, field: FieldPath, tenancy: Tenancy
) -> FileRef | Problem:
    """The file, or why it may not be named. ``setting`` is what an installation sets the folder with.

    The folder is everybody's, so a tenant would present the platform's certificates: it names no file.
    """
    if not tenancy.is_platform(ref.namespace):
        message = f"{format_path(field)} of {ref} names a file, which is for platform namespaces only. Use a Secret."
        return Problem(ProblemKind.ERROR, Reason.REF_NOT_PERMITTED, message, ref, field)
    if root is None:
        message = (
            f"{format_path(field)} of {ref} names a file, but this installation allows none ({setting} is not set)."
        )
        return Problem(ProblemKind.ERROR, Reason.REF_NOT_PERMITTED, message, ref, field)
    pure = PurePosixPath(path)
    if (
        not pure.is_absolute()
        or ".." in pure.parts
        or "\0" in path
        or not pure.is_relative_to(root)
        or str(pure) == root
    ):
        message = f"{format_path(field)} of {ref} has to be an absolute path below the folder that {setting} allows."
        return Problem(ProblemKind.ERROR, Reason.REF_NOT_PERMITTED, message, ref, field)
    return FileRef(str(pure))
