//! The words in Chinese, in simplified characters, with the terms that Chinese books on TLS use.

mod alerts;
mod certificates;
mod extensions;
mod fields;
mod messages;
mod page;
mod quantities;
mod verdicts;
mod whole;

use super::catalogue::{Catalogue, Count, Counts, Labels, Phrases};

pub(super) static CHINESE: Catalogue = Catalogue {
    labels: LABELS,
    phrases: PHRASES,
    counts: COUNTS,
    says: messages::SAYS,
    reasons: messages::REASONS,
    values: fields::VALUES,
    problems: verdicts::PROBLEMS,
    derivations: quantities::DERIVATIONS,
    findings: verdicts::FINDINGS,
    chains: certificates::CHAINS,
    encodings: certificates::ENCODINGS,
    faults: verdicts::FAULTS,
    whole: whole::WHOLE,
    weaknesses: whole::WEAKNESSES,
    page: page::PAGE,
    fields: fields::FIELDS,
    extensions: extensions::EXTENSIONS,
    alerts: alerts::ALERTS,
    rare_messages: extensions::RARE_MESSAGES,
    quantities: quantities::QUANTITIES,
    terms: certificates::TERMS,
};

const LABELS: Labels = Labels {
    title: "TLS 握手",
    client: "客户端",
    server: "服务器",
    octets: "字节",
    records: "记录",
    record: "记录",
    step: "步骤",
    steps: "逐步说明",
    version: "版本",
    suite: "密码套件",
    group: "密钥交换",
    signature: "签名",
    protocol: "协议",
    why: "为何需要",
    without: "若没有它",
    fields: "字段",
    hex: "十六进制字节",
    checks: "检验",
    check: "检验",
    derived: "在此派生",
    key_schedule: "密钥从何而来",
    formula: "公式",
    result: "结果",
    unknown: "未知",
    hidden: "已隐藏",
    whole: "总评",
    agreed: "协商结果",
    round_trips: "往返、字节与时间",
    duration: "耗时",
    forward_secrecy: "前向保密",
    key_exchange_post_quantum: "密钥交换能否抵御量子计算机",
    authentication_post_quantum: "身份认证能否抵御量子计算机",
    passive: "窃听者能看到什么",
    active: "中间人能做什么",
    chain: "安全链条的各个环节",
    weakest: "最薄弱的环节",
    weaknesses: "弱点",
    faults: "错误",
    offset: "偏移",
    end: "连接如何结束",
    key: "密钥",
    nonce: "nonce（一次性数）",
    sequence: "记录序号",
    additional_data: "附加数据",
    padding: "填充",
    clear: "明文",
    early_data: "0-RTT 密钥",
    handshake_keys: "握手密钥",
    application_keys: "应用数据密钥",
    confirmed: "已证实",
    refuted: "不成立",
    not_derivable: "无法判断",
    stated: "已算出",
    recommended: "推荐",
    special: "特殊用途",
    legacy: "过时",
    broken: "已被攻破",
    grease: "无含义的占位值（GREASE）",
    unassigned: "未知",
    note: "提示",
    minor: "轻微",
    serious: "严重",
    critical: "致命",
    sealed: "密文",
    contents: "应用数据",
    inputs: "输入",
    complete: "握手已完成",
    plain: "不是 TLS",
    colon: "：",
};

const PHRASES: Phrases = Phrases {
    the_client: "客户端",
    the_server: "服务器",
    the_client_first: "客户端",
    the_server_first: "服务器",
    and_two: "、",
    and_last: "、",
    comma: "、",
    clause: "，",
    quote: "“{text}”",
    semicolon: "；",
    stop: "",
    and_more: "，另有 {count} 个",
    nothing: "无",
    unknown_value: "未知",
    or_none: "无",
};

const COUNTS: Counts = Counts {
    octets: both("{} 字节"),
    following: both("其后 {} 字节"),
    suites: both("{} 个密码套件"),
    certificates: both("{} 张证书"),
    records: both("{} 条记录"),
    keys: both("{} 个密钥"),
    seconds: both("{} 秒"),
    minutes: both("{} 分钟"),
    hours: both("{} 小时"),
    days: both("{} 天"),
    years: both("{} 年"),
    cas: both("{} 个 CA"),
    authorities: both("{} 个证书颁发机构"),
    bits: both("{} 位"),
    round_trips: both("{} 次往返"),
    microseconds: both("{} 微秒"),
    milliseconds: both("{} 毫秒"),
};

/// Chinese counts one as it counts many.
const fn both(text: &'static str) -> Count {
    Count {
        one: text,
        many: text,
    }
}
