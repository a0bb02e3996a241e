//! What `ravelin inspect --step` says beside what the explorer tells, in both of its languages.

use ravelin_lens::explain::Language;

/// The words of one language.
pub(crate) struct WalkWords {
    /// Over the times of steps.
    pub(crate) time: &'static str,
    /// How much is told of a step, least first.
    pub(crate) depths: [&'static str; 3],
    /// Which of several connections is shown, with places for both numbers.
    pub(crate) connection: &'static str,
    /// What a client offers, before the first step.
    pub(crate) offered: &'static str,
    /// Where a connection of a capture is in it.
    pub(crate) captured: &'static str,
    /// What the second connection saved.
    pub(crate) compared: &'static str,
    /// For the last line.
    pub(crate) hints: Hints,
    /// Over the keys and what they do.
    pub(crate) help: &'static str,
    /// Keys, and what they do.
    pub(crate) keys: [(&'static str, &'static str); 10],
    /// Over the letters and marks of the diagram.
    pub(crate) signs: &'static str,
    /// How help is closed.
    pub(crate) close: &'static str,
}

/// What keys do, in a word.
pub(crate) struct Hints {
    pub(crate) step: &'static str,
    pub(crate) detail: &'static str,
    pub(crate) scroll: &'static str,
    pub(crate) turn: &'static str,
    pub(crate) other: &'static str,
    pub(crate) help: &'static str,
    pub(crate) leave: &'static str,
}

impl WalkWords {
    /// The words of this language.
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &ENGLISH,
            Language::Chinese => &CHINESE,
        }
    }

    /// Which of several connections is shown.
    pub(crate) fn connection(&self, number: usize, of: usize) -> String {
        self.connection
            .replace("{number}", &number.to_string())
            .replace("{of}", &of.to_string())
    }
}

static ENGLISH: WalkWords = WalkWords {
    time: "time",
    depths: ["words", "fields", "octets"],
    connection: "connection {number} of {of}",
    offered: "What the client offers",
    captured: "In the capture",
    compared: "Both connections",
    hints: Hints {
        step: "step",
        detail: "detail",
        scroll: "scroll",
        turn: "diagram, text",
        other: "other connection",
        help: "help",
        leave: "leave",
    },
    help: "Keys",
    keys: [
        ("↑ ↓  k j", "the step before, the step after"),
        ("→ ←  l h", "more detail, less detail"),
        ("PgUp PgDn", "scroll the text"),
        ("Space", "scroll on; at the end, the next step"),
        ("Home End  g G", "the first step, the last"),
        ("Tab", "the other connection"),
        ("Enter", "diagram or text, where there is no room for both"),
        ("Ctrl-L Ctrl-Z", "draw anew, suspend"),
        ("?", "this help"),
        ("q Esc Ctrl-C", "leave"),
    ],
    signs: "Letters and marks",
    close: "any key closes this",
};

static CHINESE: WalkWords = WalkWords {
    time: "时间",
    depths: ["说明", "字段", "字节"],
    connection: "第 {number} 条连接，共 {of} 条",
    offered: "客户端提供的内容",
    captured: "在抓包中的位置",
    compared: "两次连接的对比",
    hints: Hints {
        step: "步骤",
        detail: "详略",
        scroll: "翻页",
        turn: "图或说明",
        other: "另一条连接",
        help: "帮助",
        leave: "退出",
    },
    help: "按键",
    keys: [
        ("↑ ↓  k j", "上一步，下一步"),
        ("→ ←  l h", "更详细，更简略"),
        ("PgUp PgDn", "滚动说明"),
        ("空格", "向下翻页；到末尾时进入下一步"),
        ("Home End  g G", "第一步，最后一步"),
        ("Tab", "另一条连接"),
        ("Enter", "屏幕较窄时，在图与说明之间切换"),
        ("Ctrl-L Ctrl-Z", "重绘，挂起"),
        ("?", "显示本帮助"),
        ("q Esc Ctrl-C", "退出"),
    ],
    signs: "字母与标记",
    close: "按任意键关闭",
};
