"""What people read of the ledger: states, grades, sources, and the headings of its columns, in Chinese and English."""

from typing import Final

from alerts.dangers.life import State

Pair = tuple[str, str]

STATES: Final[dict[State, Pair]] = {
    State.REGISTERED: ("登记", "registered"),
    State.ASSESSED: ("评估", "assessed"),
    State.ASSIGNED: ("交办", "assigned"),
    State.RECTIFYING: ("整改", "being put right"),
    State.RECHECKING: ("复查", "being re-checked"),
    State.STRUCK: ("销号", "struck off"),
    State.OVERDUE: ("逾期", "overdue"),
    State.SUPERVISED: ("督办", "supervised"),
}
GRADES: Final[dict[str, Pair]] = {"general": ("一般隐患", "general"), "major": ("重大隐患", "major")}
SOURCES: Final[dict[str, Pair]] = {
    "warning": ("监测预警", "sensor warning"),
    "patrol": ("巡查", "patrol"),
    "public": ("群众举报", "public"),
}
COLUMNS: Final[dict[str, Pair]] = {  # of an export, in this order
    "id": ("编号", "Id"),
    "state": ("状态", "State"),
    "source": ("来源", "Source"),
    "warning": ("预警编号", "Warning"),
    "found": ("发现时间", "Found"),
    "finder": ("发现人", "Found by"),
    "signature": ("签字", "Signature"),
    "registered_by": ("登记人", "Registered by"),
    "place": ("地点", "Place"),
    "district": ("街道（乡镇）", "District"),
    "asset": ("设施", "Asset"),
    "domain": ("领域", "Domain"),
    "hazard": ("隐患类别", "Hazard"),
    "lat": ("纬度", "Latitude"),
    "lon": ("经度", "Longitude"),
    "description": ("隐患描述", "Description"),
    "photos": ("照片", "Pictures"),
    "evidence": ("证据", "Evidence"),
    "grade": ("隐患等级", "Grade"),
    "colour": ("风险颜色", "Risk colour"),
    "cause": ("原因", "Cause"),
    "measures": ("整改措施", "Measures"),
    "unit": ("责任单位", "Responsible unit"),
    "person": ("责任人", "Responsible person"),
    "funds": ("整改资金", "Funds"),
    "deadline": ("整改时限", "Deadline"),
    "plan": ("应急预案", "Contingency plan"),
    "rechecker": ("复查人", "Re-checker"),
    "interim": ("临时管控措施", "Interim controls"),
    "overdue": ("逾期次数", "Times overdue"),
    "supervisor": ("督办单位", "Supervised by"),
    "reported": ("上报", "Reported to"),
    "before": ("整改前证据", "Evidence before"),
    "after": ("整改后证据", "Evidence after"),
    "finished_by": ("整改完成人", "Work done by"),
    "result": ("验收结论", "Acceptance"),
    "accepted_by": ("验收人", "Accepted by"),
    "struck": ("销号日期", "Struck off"),
    "reopened": ("重新启用次数", "Times reopened"),
    "kept": ("至少保存至", "Kept at least until"),
}
