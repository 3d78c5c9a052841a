"""A message there and back: strict when written, tolerant when read."""

from swapproto.errors import CodecError
from swapproto.messages.gbt27930 import BCL, CCS, ChargeMode
from swapproto.wire.codec import source

demand = BCL(voltage=597.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT)
print("on the bus:", demand.frame())

padded = CCS.read(bytes.fromhex("C90EA00F0000FDFF"))
print("read:", padded.message)

odd = BCL.read(bytes.fromhex("52 17 82 0F 09 FF FF FF"))
for deviation in odd.deviations:
    print("deviation:", deviation)

try:
    BCL(voltage=7000.0, current=-3.0, mode=ChargeMode.CONSTANT_CURRENT).encode()
except CodecError as error:
    print("refused:", error)

print(source(BCL))
