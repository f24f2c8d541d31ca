"""Files beside the proxy that a user's object names: below one configured folder, or not at all (invariant 9).

The check here looks at the path's text alone. The proxy checks again, with symlinks resolved, when it opens the file.
"""

from __future__ import annotations

from pathlib import PurePosixPath

from wardgate.ir import FileRef
from wardgate.problems import FieldPath, ObjectRef, Problem, ProblemKind, Reason, format_path
from wardgate.translate.tenancy import Tenancy


def file_below(
    path: str, root: str | None, *, setting: str, ref: ObjectRef, field: FieldPath, tenancy: Tenancy
) -> FileRef | Problem:
    """The file, or the problem that forbids it. ``setting`` is the name of the setting that allows the folder.

    The folder is shared by everybody, so a tenant could present the platform's certificates: a tenant names no file.
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
