"""Every word of the report page that does not come from the run, in its languages."""

from typing import Literal, TypeAlias

import msgspec

from swapproto_conformance.report.svg import element, plain
from swapproto_conformance.results import MEANING

Language: TypeAlias = Literal["en", "zh"]
TAGS: dict[Language, str] = {"en": "en", "zh": "zh-CN"}
"""Language tags, as the page's elements carry them; the style sheet shows those of the page's language."""


class Words(msgspec.Struct, frozen=True, gc=False):
    """The same in every language of the page."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en

    def other(self, language: Language) -> str:
        return self.en if language == "zh" else self.zh

    def __html__(self) -> str:
        """Both, one beside the other; once where they do not differ."""
        if self.en == self.zh:
            return plain(self.en)
        english = element("span", plain(self.en), lang=TAGS["en"])
        return english + element("span", plain(self.zh), lang=TAGS["zh"])


TEXTS: dict[str, dict[Language, str]] = {
    # head
    "report": {"en": "Conformance report", "zh": "一致性测试报告"},
    "kind": {"en": "Kind of run", "zh": "运行类型"},
    "kind.certification": {"en": "Certification run", "zh": "认证运行"},
    "kind.self-test": {"en": "Self-test", "zh": "自检"},
    "kind.interoperation": {"en": "Interoperation run", "zh": "互操作运行"},
    "meaning.certification": {
        "en": MEANING["certification"],
        "zh": "每个设备均单独与测试系统对测并判定。",
    },
    "meaning.self-test": {
        "en": MEANING["self-test"],
        "zh": "被判定的是本套件自带的设备；不能证明任何产品的任何性能。",
    },
    "meaning.interoperation": {
        "en": MEANING["interoperation"],
        "zh": "设备之间相互运行；不构成对其中任何一方的证据。",
    },
    "devices": {"en": "Devices under test", "zh": "被测设备"},
    "contents": {"en": "On this page", "zh": "本页内容"},
    "case": {"en": "Case", "zh": "用例"},
    "title": {"en": "Title", "zh": "标题"},
    "role": {"en": "Role", "zh": "角色"},
    "role.charger": {"en": "charger", "zh": "充电机"},
    "role.bms": {"en": "pack (BMS)", "zh": "电池包（BMS）"},
    "role.pair": {"en": "pair", "zh": "成对"},
    "name": {"en": "Name", "zh": "名称"},
    "link": {"en": "Link", "zh": "链路"},
    "description": {"en": "Description", "zh": "说明"},
    "no_devices": {"en": "No device was named.", "zh": "未指明设备。"},
    "profile": {"en": "Profile", "zh": "规范配置"},
    "suite": {"en": "Suite", "zh": "测试套件"},
    "created": {"en": "Created", "zh": "生成时间"},
    "bench": {"en": "Bench", "zh": "测试台"},
    "bench.resolution": {"en": "time stamps resolve {us} µs", "zh": "时间戳分辨率 {us} µs"},
    "bench.lateness": {
        "en": "the tester's own frames were at most {us} µs late",
        "zh": "测试系统自身报文最大滞后 {us} µs",
    },
    "bench.unmeasured": {"en": "lateness of the tester was not measured", "zh": "未测量测试系统的滞后"},
    "seeds": {"en": "Seeds", "zh": "随机种子"},
    "standards": {
        "en": "Standards behind the profile, and their standing",
        "zh": "规范配置所依据的标准及其状态",
    },
    "no_standards": {"en": "No standard was named.", "zh": "未指明标准。"},
    "provincial": {
        "en": "Nothing on this page is the Jiangsu specification for swap packs: its text is not public, "
        "none of its values is used here, and no verdict here speaks of it.",
        "zh": "本页内容均非江苏省换电电池包技术规范：该规范文本未公开，此处未使用其任何数值，任何结论均与其"
        "无关。",
    },
    # outcome
    "outcome": {"en": "Outcome", "zh": "结果"},
    "verdict": {"en": "Verdict", "zh": "结论"},
    "verdict.pass": {"en": "pass", "zh": "通过"},
    "verdict.fail": {"en": "fail", "zh": "不通过"},
    "verdict.inconclusive": {"en": "inconclusive", "zh": "无法判定"},
    "verdict.error": {"en": "error", "zh": "错误"},
    "verdict.not_applicable": {"en": "not applicable", "zh": "不适用"},
    "verdict.none": {"en": "not exercised", "zh": "未检验"},
    "says.pass": {"en": "What was examined conforms.", "zh": "所检查的内容符合要求。"},
    "says.fail": {
        "en": "The device broke a requirement that can fail it.",
        "zh": "设备违反了可判不通过的要求。",
    },
    "says.inconclusive": {
        "en": "Neither shown nor refuted, or the requirement rests on too little to decide.",
        "zh": "既未证实也未否定，或该要求的依据不足以作出判定。",
    },
    "says.error": {
        "en": "The harness itself went wrong; this says nothing about the device.",
        "zh": "测试系统自身出错；与设备无关。",
    },
    "says.not_applicable": {"en": "Does not apply to this device.", "zh": "不适用于该设备。"},
    "means": {"en": "Meaning", "zh": "含义"},
    "count.pairs": {"en": "Pairs", "zh": "成对会话数"},
    "total": {"en": "total", "zh": "合计"},
    "under_error": {
        "en": "Errors that stand above a fail, which stays listed and counts for the exit code: {n}",
        "zh": "其下仍列有不通过（并计入退出码）的错误：{n}",
    },
    "exit": {"en": "Exit code {code}", "zh": "退出码 {code}"},
    "exit.0": {
        "en": "no fail, no harness error, nothing inconclusive",
        "zh": "无不通过、无系统错误、无无法判定",
    },
    "exit.1": {"en": "at least one fail", "zh": "至少一项不通过"},
    "exit.2": {"en": "no fail, but at least one case is inconclusive", "zh": "无不通过，但至少一项无法判定"},
    "exit.3": {
        "en": "no fail, but the harness went wrong at least once",
        "zh": "无不通过，但测试系统至少出错一次",
    },
    "exit.4": {"en": "nothing was selected", "zh": "未选中任何用例"},
    "failed": {"en": "What failed", "zh": "未通过项"},
    "failed.none": {"en": "Nothing failed.", "zh": "无未通过项。"},
    "errors": {
        "en": "What could not be judged because the harness went wrong",
        "zh": "因测试系统出错而未能判定的项",
    },
    "held_back": {
        "en": "Violated, but resting on too little to fail a device",
        "zh": "已违反，但依据不足以判设备不通过",
    },
    # requirements
    "requirements": {"en": "Verdicts by requirement", "zh": "按要求列出的结论"},
    "requirements.lead": {
        "en": "Each mark is what one case found about the requirement, and leads to that case. "
        "Interoperation is left out here: it is evidence for neither device.",
        "zh": "每个标记为一个用例对该要求的结论，并链接到该用例。互操作不计入此处：它不构成对任何一方的证据"
        "。",
    },
    "requirements.none": {"en": "The run names no requirement.", "zh": "本次运行未列出任何要求。"},
    "requirement": {"en": "Requirement", "zh": "要求"},
    "rests_on": {"en": "Rests on", "zh": "依据"},
    "source": {"en": "Source", "zh": "来源"},
    "violated": {"en": "violated", "zh": "已违反"},
    "uncatalogued": {"en": "Not in this run's catalogue of requirements", "zh": "不在本次运行的要求目录中"},
    "basis.stated": {"en": "stated", "zh": "原文"},
    "basis.reported": {"en": "reported", "zh": "转述"},
    "basis.observed": {"en": "observed", "zh": "实测"},
    "basis.derived": {"en": "derived", "zh": "推导"},
    "basis.assumed": {"en": "assumed", "zh": "假定"},
    "basis.unset": {"en": "unset", "zh": "未定"},
    "witnesses.0": {"en": "no witness", "zh": "无佐证"},
    "witnesses.1": {"en": "1 witness", "zh": "1 个佐证"},
    "witnesses.n": {"en": "{n} witnesses", "zh": "{n} 个佐证"},
    "weight.FULL": {"en": "can pass and fail", "zh": "可判通过与不通过"},
    "weight.PASS_ONLY": {"en": "can pass, cannot fail", "zh": "可判通过，不可判不通过"},
    "weight.NONE": {"en": "decides nothing", "zh": "不作判定"},
    # interoperation
    "interoperation": {"en": "Interoperation", "zh": "互操作"},
    "interoperation.label": {
        "en": "interoperation, evidence for neither device",
        "zh": "互操作，不构成对任何一方的证据",
    },
    "interoperation.none": {"en": "No pair was run.", "zh": "未进行成对运行。"},
    "drawing.title": {"en": "The session of {case} over time", "zh": "{case} 会话时间图"},
    "drawing.desc": {
        "en": "Phases as a band, stop and error messages as marks, voltage and current below. {seconds} s, "
        "{messages} messages. Voltage {v_low} to {v_high} V, current {i_low} to {i_high} A.",
        "zh": "上方为阶段带与停止、错误报文标记，下方为电压与电流。时长 {seconds} s，报文 {messages} 条。电"
        "压 {v_low} 至 {v_high} V，电流 {i_low} 至 {i_high} A。",
    },
    "drawing.nothing": {
        "en": "The trace holds nothing that could be drawn.",
        "zh": "轨迹中没有可绘制的内容。",
    },
    "axis.voltage": {"en": "Voltage, V", "zh": "电压，V"},
    "axis.current": {"en": "Current, A", "zh": "电流，A"},
    "axis.time": {"en": "Time since the first frame, {unit}", "zh": "自首帧起的时间，{unit}"},
    "curve.demand": {"en": "demand (BCL)", "zh": "需求（BCL）"},
    "curve.measured": {"en": "measured by the pack (BCS)", "zh": "电池包测量（BCS）"},
    "curve.output": {"en": "output of the charger (CCS)", "zh": "充电机输出（CCS）"},
    "phase.handshake start": {"en": "handshake", "zh": "握手启动"},
    "phase.identification": {"en": "identification", "zh": "握手辨识"},
    "phase.configuration": {"en": "configuration", "zh": "参数配置"},
    "phase.charging": {"en": "charging", "zh": "充电"},
    "phase.end": {"en": "end", "zh": "充电结束"},
    "phase.error": {"en": "error", "zh": "错误"},
    "phases": {"en": "Phases", "zh": "阶段"},
    "drawing.key": {"en": "A negative current charges the pack.", "zh": "负电流为充电。"},
    "lasts": {"en": "lasts", "zh": "持续"},
    "repeated": {"en": "{n} frames", "zh": "{n} 帧"},
    # cases
    "cases": {"en": "Cases", "zh": "用例"},
    "cases.none": {"en": "No case was run.", "zh": "未运行任何用例。"},
    "show": {"en": "Show", "zh": "显示"},
    "all_roles": {"en": "all roles", "zh": "全部角色"},
    "find": {"en": "Find in cases", "zh": "在用例中查找"},
    "shown_of": {"en": "cases shown", "zh": "个用例已显示"},
    "all_phases": {"en": "all phases", "zh": "全部阶段"},
    "open_all": {"en": "Open all", "zh": "全部展开"},
    "close_all": {"en": "Close all", "zh": "全部收起"},
    "polarity": {"en": "Polarity", "zh": "性质"},
    "polarity.positive": {"en": "positive", "zh": "正向"},
    "polarity.negative": {"en": "negative", "zh": "负向"},
    "phase": {"en": "Phase", "zh": "阶段"},
    "labels": {"en": "Also known as", "zh": "其他编号"},
    "duration": {"en": "Duration", "zh": "时长"},
    "trace": {"en": "Trace", "zh": "轨迹"},
    "no_trace": {
        "en": "No trace of this case is at hand, so no frames are shown.",
        "zh": "没有该用例的轨迹，故不显示报文帧。",
    },
    "empty_trace": {"en": "The trace of this case holds no frame.", "zh": "该用例的轨迹中没有报文帧。"},
    "lane": {"en": "Between the two parties", "zh": "双方报文往来"},
    "lane.title": {
        "en": "Messages of {case} between charger and BMS",
        "zh": "{case} 充电机与 BMS 报文往来图",
    },
    "lane.desc": {
        "en": "Time runs downwards. {arrows} arrows for {messages} messages, {evidence} of them evidence.",
        "zh": "时间自上而下。{arrows} 个箭头，共 {messages} 条报文，其中证据 {evidence} 条。",
    },
    "lane.key": {
        "en": "An arrow a message, one for a whole transfer; the scale of time is not even. "
        "Evidence has a diamond, a double line and a label. "
        "A grey bar beside a party is the time that it has to send what is expected.",
        "zh": "每个箭头为一条报文，多包传输合为一个箭头；时间刻度不均匀。证据以菱形、双线和文字标出。"
        "一侧的灰色条为该方发送期望报文的时限。",
    },
    "lane.drawn": {
        "en": "Drawn: {arrows} of {messages} messages; the others repeat what is drawn "
        "or are far from the evidence.",
        "zh": "已绘出 {messages} 条报文中的 {arrows} 条；其余为重复报文或远离证据。",
    },
    "lane.limit": {"en": "limit for {name}, {ms} ms", "zh": "{name} 时限 {ms} ms"},
    "window.title": {"en": "Expected and observed time of {name}", "zh": "{name} 的期望与实际时间"},
    "window.axis": {"en": "ms after {anchor}", "zh": "ms，自 {anchor} 起"},
    "window.interval": {"en": "ms between two {name}", "zh": "ms，两条 {name} 的间隔"},
    "window.nominal": {"en": "nominal {ms}", "zh": "标称 {ms}"},
    "window.band": {"en": "conforms", "zh": "符合"},
    "window.at": {"en": "{name} at {ms}", "zh": "{name}：{ms}"},
    "window.median": {"en": "median {ms}", "zh": "中位数 {ms}"},
    "window.none": {"en": "no {name} in {ms}", "zh": "{ms} 内无 {name}"},
    "window.key": {
        "en": "The band is what conforms, its tolerance included; the line in it is the nominal time.",
        "zh": "色带为符合的时间范围（含容差），其中竖线为标称时间。",
    },
    "zoom": {"en": "Zoom of the drawing", "zh": "图形缩放"},
    "zoom.in": {"en": "Zoom in", "zh": "放大"},
    "zoom.out": {"en": "Zoom out", "zh": "缩小"},
    "zoom.whole": {"en": "Whole", "zh": "全图"},
    "zoom.hint": {
        "en": "also Ctrl with the wheel, or + - 0 and the arrow keys",
        "zh": "也可按 Ctrl 加滚轮，或按 + - 0 与方向键",
    },
    "stimulus": {"en": "What the tester did", "zh": "测试系统的动作"},
    "timeline": {"en": "The whole case", "zh": "完整过程"},
    "strip.title": {"en": "Messages of {case} over time", "zh": "{case} 报文时间图"},
    "strip.desc": {
        "en": "One lane a message, {lanes} lanes over {seconds} s. The charger's ticks stand above their "
        "line, the pack's hang below. Triangles mark the evidence.",
        "zh": "每种报文一行，共 {lanes} 行，时长 {seconds} s。充电机的刻度在线上方，电池包的刻度在线下方，"
        "三角形标记证据位置。",
    },
    "strip.key": {
        "en": "A tick a frame: the charger's stand above the line, the BMS's hang below it; triangles are "
        "evidence. Times are seconds since the first frame of the trace.",
        "zh": "每个刻度为一帧：充电机的在线上方，BMS 的在线下方；三角形为证据。时间自轨迹首帧起，以秒计。",
    },
    "strip.left_out": {"en": "{n} more kinds of frames are not drawn", "zh": "另有 {n} 种报文未绘出"},
    "sender.charger": {"en": "charger", "zh": "充电机"},
    "sender.bms": {"en": "BMS", "zh": "BMS"},
    "sender.other": {"en": "other", "zh": "其他"},
    "findings": {"en": "Findings", "zh": "判定"},
    "findings.none": {"en": "The judge found nothing to report.", "zh": "判定程序无内容可报告。"},
    "expected": {"en": "Expected", "zh": "期望"},
    "observed": {"en": "Observed", "zh": "实际"},
    "reason": {"en": "Reason", "zh": "理由"},
    "examined": {"en": "Occasions", "zh": "检查次数"},
    "evidence": {"en": "evidence", "zh": "证据"},
    "evidence.at": {"en": "Evidence at", "zh": "证据时刻"},
    "frames": {"en": "Frames around the evidence", "zh": "证据前后的报文帧"},
    "frames.none": {"en": "This finding names no frame.", "zh": "该判定未指明报文帧。"},
    "frames.outside": {
        "en": "The trace has {length} frames; evidence at position {positions} lies outside of it.",
        "zh": "轨迹共有 {length} 帧；位置 {positions} 的证据不在其中。",
    },
    "column.time": {"en": "Time, s", "zh": "时间，s"},
    "column.since": {"en": "Since last, ms", "zh": "距上次，ms"},
    "column.id": {"en": "Identifier", "zh": "标识符"},
    "column.sender": {"en": "Sender", "zh": "发送方"},
    "column.message": {"en": "Message", "zh": "报文"},
    "column.fields": {"en": "Fields", "zh": "字段"},
    "column.data": {"en": "Bytes", "zh": "数据"},
    "moment": {"en": "no frame at this moment", "zh": "此刻无报文帧"},
    "folded.more": {"en": "{n} more {name}", "zh": "另有 {n} 条 {name}"},
    "folded.others": {"en": "{n} others", "zh": "其他 {n} 条"},
    "folded.evidence": {"en": "{n} of them evidence", "zh": "其中 {n} 条为证据"},
    # the end
    "not_selected": {"en": "Not selected", "zh": "未选用例"},
    "not_selected.none": {"en": "Every case was selected.", "zh": "所有用例均已选用。"},
    "problems": {"en": "Harness problems", "zh": "测试系统问题"},
    "problems.none": {
        "en": "The harness reports no problem outside of the cases.",
        "zh": "用例之外测试系统未报告问题。",
    },
    "verify": {"en": "How to verify", "zh": "如何验证"},
    "verify.text": {
        "en": "This page is for reading and is not signed. The certificate beside it names every case with "
        "its verdict and the SHA-256 of its trace, and is signed. Check it, together with the "
        "traces, by:",
        "zh": "本页仅供阅读，未经签名。同目录的证书列出每个用例及其结论和轨迹的 SHA-256，并经签名。请用以下"
        "命令连同轨迹一并验证：",
    },
    "verify.key": {
        "en": "Without --key this proves that nothing was changed, not who signed.",
        "zh": "不带 --key 时只能证明内容未被改动，不能证明签名者身份。",
    },
}


def words(key: str, **values: object) -> Words:
    """The text of that key, with the values in their places."""
    entry = TEXTS[key]
    return Words(entry["en"].format_map(values), entry["zh"].format_map(values))


def phase_words(phase: str) -> Words:
    """A phase by its value; one that the page does not know stands for itself."""
    return words(f"phase.{phase}") if f"phase.{phase}" in TEXTS else Words(phase, phase)
