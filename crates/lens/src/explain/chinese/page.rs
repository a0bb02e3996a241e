//! What the page says besides.

use crate::explain::catalogue::PageWords;

pub(super) const PAGE: PageWords = PageWords {
    skip: "跳到逐步说明",
    contents: "本页内容",
    intro: "两个程序在能够私密通信之前相互说了什么，逐字节展示。凡是能重新计算的，这里都独立地重新算了一遍，\
            没有借用双方程序自己的结果。",
    intro_visitor: "这就是把本页送到您面前的那条连接，以服务器所见为准。它不会展示给其他任何人，也不会被保存。",
    secrets_shown: "本页含有这条连接的密钥。谁同时拥有本页和这条连接的抓包，谁就能读出其内容。",
    secrets_hidden: "本页略去了这条连接的密钥和应用数据。",
    help: "按 j 和 k 逐步前进、后退；焦点在某一步上时，方向键也可以。按 Enter 展开，按 Escape 收起。",
    help_tree: "指向一个字段，对应的字节会亮起；指向字节，对应的字段也会亮起。用键盘时请按方向键。",
    help_graph: "选择一个量即可查看它的公式。用键盘时请按方向键和 Enter。",
    more_connections: "另有 {count} 条连接未显示。",
    connection: "连接 {number}",
    more_steps: "另有 {count} 步未显示。",
    more_octets: "另有 {octets}未显示。",
    more_fields: "另有 {count} 个字段未显示。",
    more_records: "另有 {count} 条记录未显示。",
    more_quantities: "另有 {count} 个量未显示。",
    round_trips: "往返次数",
    forward_secret: "前向保密",
    quantum_safe: "能抵御量子计算机",
    yes: "是",
    partly: "部分",
    no: "否",
    diagram: "谁说了什么",
    diagram_description: "左边是客户端，右边是服务器。每个箭头是一条消息，点击可跳到对应的步骤；时间自上而下。",
    graph_description: "来自外部的量在左侧。各阶段的秘密自上而下，由它们派生的量在右侧。",
    used_for: "用于",
    used_of: "由以下各量算出",
    tested: "已检验",
    carries: "承载",
    verdict: "结果",
    made_by: "由 Ravelin 生成。",
    secret_left_out: "本页略去了应用数据。",
};
