"""Every word of the matrix page that does not come from the scenario or the rules."""

from swapproto.compat.answer import Verdict
from swapproto.compat.descriptor import Device, Standing
from swapproto.compat.words import Words

VERDICTS = {
    Verdict.COMPATIBLE: Words("compatible", "兼容"),
    Verdict.INCOMPATIBLE: Words("incompatible", "不兼容"),
    Verdict.UNKNOWN: Words("unknown", "未知"),
}
MEANINGS = {
    Verdict.COMPATIBLE: Words("every rule holds", "所有规则均成立"),
    Verdict.INCOMPATIBLE: Words("at least one rule is violated", "至少违反一条规则"),
    Verdict.UNKNOWN: Words(
        "no rule is violated, and at least one cannot be decided", "未违反任何规则，但至少一条无法判定"
    ),
}
STANDINGS = {
    Standing.DECLARED: Words("declared", "制造商声明"),
    Standing.STATED: Words("stated", "原文"),
    Standing.REPORTED: Words("reported", "转述"),
    Standing.OBSERVED: Words("observed", "实测"),
    Standing.DERIVED: Words("derived", "推导"),
    Standing.ASSUMED: Words("assumed", "假定"),
    Standing.UNSET: Words("unset", "未定"),
}
KINDS = {
    Device.PACK: Words("Packs", "电池包"),
    Device.TRUCK: Words("Vehicles", "车辆"),
    Device.STATION: Words("Stations", "换电站"),
}
TEXTS = {
    "overline": Words("Compatibility matrix", "兼容性矩阵"),
    "premise": Words("Supposed", "假设性结论"),
    "premise.text": Words(
        "Every answer on this page says what would be if the values of the scenario held: an invented value "
        "counts as if its maker had declared it. Without that premise a rule that rests on an assumed value "
        "stays unknown.",
        "本页每项结论均以情景数值成立为前提：虚构数值视同制造商声明。若无此前提，依据假定值的规则只能得出“未知”。",
    ),
    "facts": Words("What is known of the network itself", "关于该网络的已知信息"),
    "grid": Words("Every pack at every station", "各电池包与各换电站"),
    "grid.lead": Words(
        "A row is a pack with the vehicle that brings it, a column a station. The letter names the rule that "
        "decides first. Press a cell for its reasons.",
        "每行为一个电池包及其所在车辆，每列为一座换电站。字母表示首先起决定作用的规则。点击单元格查看理由。",
    ),
    "pack": Words("Pack", "电池包"),
    "truck": Words("vehicle", "车辆"),
    "without_truck": Words("without a vehicle", "无车辆"),
    "answer": Words("Answer", "结论"),
    "means": Words("Meaning", "含义"),
    "count": Words("Cells", "单元格"),
    "letters": Words("Letters", "字母"),
    "supposed": Words("supposed", "假设"),
    "at": Words("at", "于"),
    "reasons": Words("The reason behind each cell", "每个单元格的理由"),
    "stations": Words("Stations", "换电站"),
    "because": Words("Because", "理由"),
    "settles": Words("Would settle it", "可据以判定"),
    "all_hold": Words("All rules hold", "所有规则均成立"),
    "rules": Words("The rules", "规则"),
    "rules.lead": Words(
        "Each rule holds one value of one device against one of another. Handling is asked first: where "
        "it is violated the other rules have no meaning. The item is where a specification fixes what is "
        "compared.",
        "每条规则将一台设备的一个数值与另一台设备的一个数值相比较。首先判断搬运方式；"
        "不符时其余规则不再适用。“项目”为规范中规定该比较内容之处。",
    ),
    "rule": Words("Rule", "规则"),
    "asks": Words("Asks", "要求"),
    "item": Words("Item", "项目"),
    "comparison": Words("comparison of the two values only", "仅比较两个数值"),
    "devices": Words("The devices and their values", "设备及其数值"),
    "devices.lead": Words(
        "The basis says where each value comes from; the number behind it counts independent witnesses.",
        "“依据”说明各数值的来源；其后数字为独立佐证数。",
    ),
    "key": Words("Key", "键"),
    "value": Words("Value", "数值"),
    "basis": Words("Basis", "依据"),
    "source": Words("Source", "来源"),
    "close": Words("Close", "关闭"),
}
