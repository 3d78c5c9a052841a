"""Write the schemas beside this file."""

from pathlib import Path

from swapproto.atomic import write_atomically
from swapproto_conformance.schemas import SCHEMAS

for name, content in SCHEMAS.items():
    write_atomically(Path(__file__).parent / name, content)
