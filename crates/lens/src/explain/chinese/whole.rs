//! What to think of the whole, and what is weak.

use crate::explain::catalogue::{Advice, Weaknesses, Whole};

pub(super) const WHOLE: Whole = Whole {
    agreed_version: "双方使用 {name}。",
    agreed_suite: "记录由 {name} 保护。",
    agreed_group: "共享秘密来自 {name} 上的密钥交换。",
    agreed_host: "客户端请求访问 {name}。",
    agreed_protocol: "上层协议为 {name}。",
    agreed_resumed: "本次连接由先前的连接恢复而来，服务器因此不必出示证书。",
    agreed_unknown: "就所见而言，双方没有商定版本。",
    agreed_incomplete: "就所见而言，握手没有完成。",
    took_round_trips: "客户端等待了 {trips}才能发送数据。",
    took_early: "有些数据随第一条消息一起发出，完全没有等待。",
    took_retry: "其中一次等待是因为服务器要求客户端重新开始。",
    took_octets: "到握手完成为止，客户端发送了 {client}，服务器发送了 {server}。",
    took_time: "耗时 {time}。",
    secrecy_full: "有。密钥只为本次连接生成，用后即弃：今天录下连接、明天偷到服务器密钥的人，什么也读不出来。",
    secrecy_unknown: "无法判断，因为看到的握手太少。",
    secrecy_none: "没有。录下连接的人，等长期密钥泄露之后就能读出内容。",
    secrecy_partly: "部分具备。",
    leak_rsa: "秘密是用证书中的 RSA 公钥加密的：那把私钥能打开录下的每一个连接。",
    leak_static: "证书的密钥直接参与密钥交换：那把私钥能打开录下的每一个连接。",
    leak_psk: "所有密钥都依附于双方先前就有的密钥，没有新的密钥交换：谁得到那把密钥，谁就能读出全部内容。",
    leak_early_data: "提前发送的内容依附于先前的密钥：谁得到票据的密钥，谁就能读出那一部分。",
    leak_ticket: "票据中封装了会话的秘密：谁得到服务器封装票据的密钥，谁就能读出本次连接。服务器应经常更换那把密钥。",
    leak_other: "密钥交换依附于长期密钥。",
    leak_null: "内容完全没有加密。",
    quantum_exchange_safe: "就目前所知是安全的：{group} 包含量子计算机无法攻破的方法。",
    quantum_exchange_unsafe: "不安全：今天录下连接的人，等到量子计算机能攻破 {group} 时就能读出内容。使用 X25519MLKEM768 可以避免。",
    quantum_exchange_unsafe_key: "不安全：今天录下连接的人，等到量子计算机能攻破这种密钥交换时就能读出内容。使用 TLS 1.3 与 X25519MLKEM768 可以避免。",
    quantum_exchange_psk: "没有密钥交换：一切依附于先前的密钥。只要那把密钥当初安全地建立，量子计算机也找不到它。",
    quantum_exchange_unknown: "无法判断，因为没有看到密钥交换。",
    quantum_signature_safe: "就目前所知是安全的：服务器用 {scheme} 签名。",
    quantum_signature_unsafe: "不安全，但尚不紧迫：有了大型量子计算机之后 {scheme} 可以伪造，但那只影响以后的连接，不影响今天的。",
    quantum_signature_unsafe_key: "不安全，但尚不紧迫：有了大型量子计算机之后可以算出证书的私钥，但改变不了今天的服务器是谁。",
    quantum_signature_psk: "服务器用先前的密钥证明自己。只要那把密钥当初安全地建立，量子计算机也找不到它。",
    quantum_signature_none: "服务器没有证明自己是谁。",
    quantum_signature_unknown: "无法判断，因为没有看到签名。",
    sees_name: "主机名 {name}，在第一条消息中以明文出现。",
    sees_no_name: "看不到主机名，因为客户端没有发送；但能看到地址。",
    sees_outer_name: "第一条消息中明文的主机名 {name}。如果旁边的加密 ClientHello（ECH）是真的，而且服务器采用了它，\
        那么真正要访问的主机另有其名。",
    ech_grease: "客户端发送的内容看似加密的 ClientHello（ECH），其实不表达任何内容（GREASE）：服务器没有采用它，\
        因为服务器的 Finished 覆盖的是明文的 ClientHello，而客户端照常继续。",
    ech_refused: "加密的 ClientHello（ECH）是真的，但服务器没有采用：客户端为此终止了连接（ech_required）。\
        真正要访问的主机名没有泄露。",
    ech_not_taken: "服务器没有采用加密的 ClientHello（ECH）：双方按明文的那一份继续。它要么是真的而被拒绝，\
        要么不表达任何内容（GREASE）：前一种情况下客户端会以告警 ech_required 终止连接，后一种情况下会继续发送数据，\
        这里两者都没有看到。",
    ech_unknown: "仅凭这些无法判断加密的 ClientHello（ECH）是否为真：许多客户端会发送随机字节充数（GREASE），\
        使真的那些不显眼。能够作出判断的是：若被采用，ServerHello.random 的最后 8 个字节会予以确认，\
        但只有知道内层 ClientHello 的一方才能核对；若未被采用，支持 ECH 的服务器会回复 retry_configs，\
        而且服务器的 Finished 覆盖的是明文的 ClientHello，这两者都是加密的。若没有被采用，明文的名字就是要访问的主机。",
    sees_offered_protocols: "客户端提供的上层协议：{names}。",
    sees_protocol: "商定的上层协议：{name}。",
    sees_server_certificate: "服务器的证书，TLS 1.3 之前以明文发送。",
    sees_client_certificate: "客户端的证书，也就知道客户端是谁：TLS 1.3 之前以明文发送。",
    sees_offer: "客户端的版本、密码套件和扩展，它们像指纹一样能区分不同的程序。",
    sees_ticket: "先前的票据或会话。若同一个被用了两次，就表明两次连接来自同一个客户端。",
    sees_lengths: "发送了多少、何时发送、谁发送、发往哪个地址。",
    sees_everything: "能看到一切：内容没有加密。",
    can_cut: "拖延或切断连接。切断会被发现，因为完整的连接以 close_notify 结束。",
    can_replay: "复制 0-RTT 数据并再次发送。",
    can_strip: "若客户端先用明文 HTTP，就能使它根本不用 TLS：HSTS 可以防止。",
    can_impersonate: "冒充服务器：没有成立的证据表明服务器是谁。",
    can_splice: "若服务器允许重协商，就能在客户端的内容前插入自己的内容（CVE-2009-3555）。",
    can_synchronise: "让两个连接使用同一个秘密，从而以客户端的名义行事（2014 年的三重握手攻击）。",
    can_read_nothing: "除此之外，任何举动都会被发现：被篡改或重放的记录会使连接终止。",
    link_version: "版本",
    link_suite: "密码套件",
    link_group: "密钥交换的群",
    link_signature: "握手的签名",
    link_certificate_key: "证书的密钥",
    link_certificate_signature: "证书的签名",
    weakest: "{link}：{name}，{judgement}。",
    weakest_strong: "没有特别薄弱的环节：各个环节目前都属于推荐之列。",
    none_weak: "商定的内容太少，无法判断。",
};

pub(super) const WEAKNESSES: Weaknesses = Weaknesses {
    old_version: Advice {
        what: "{name} 已经过时：它所依赖的哈希和构造都曾受到攻击。",
        mend: "双方都只允许 TLS 1.2 和 1.3。",
    },
    draft_version: Advice {
        what: "{name} 是已无人维护的草案。",
        mend: "升级仍在使用它的一方。",
    },
    null_cipher: Advice {
        what: "内容没有加密：途中任何人都能读到。",
        mend: "从配置中删去带 NULL 的密码套件。",
    },
    broken_cipher: Advice {
        what: "{name} 的加密算法已被攻破。",
        mend: "只允许使用 AES-GCM 或 ChaCha20-Poly1305 的密码套件。",
    },
    small_blocks: Advice {
        what: "{name} 的分组只有 64 位，传输若干吉字节之后会泄露部分内容（2016 年的 Sweet32）。",
        mend: "只允许使用 AES-GCM 或 ChaCha20-Poly1305 的密码套件。",
    },
    no_aead: Advice {
        what: "{name} 先认证后加密。服务器若对不同错误的处理时间略有差别，就会泄露内容（2013 年的 Lucky 13）。",
        mend: "优先使用 AES-GCM 或 ChaCha20-Poly1305 的密码套件。",
    },
    export_suite: Advice {
        what: "{name} 的密钥被有意做短，几小时内就能找到（2015 年的 FREAK 与 Logjam）。",
        mend: "从配置中删去带 EXPORT 的密码套件。",
    },
    anonymous: Advice {
        what: "服务器没有证明自己是谁：中间人可以冒充它。",
        mend: "从配置中删去带 anon 的密码套件，并使用证书。",
    },
    rsa_transport: Advice {
        what: "客户端用证书中的 RSA 公钥加密秘密，因此没有前向保密；服务器若在解密时处理不当，还会帮助攻击者（2017 年的 ROBOT）。",
        mend: "只允许带 ECDHE 的密码套件，或使用 TLS 1.3。",
    },
    static_exchange: Advice {
        what: "证书的密钥直接参与密钥交换，因此没有前向保密。",
        mend: "只允许带 ECDHE 的密码套件，或使用 TLS 1.3。",
    },
    psk_alone: Advice {
        what: "只用先前的密钥，没有新的密钥交换，因此没有前向保密。",
        mend: "让该密钥与密钥交换一起使用：TLS 1.3 用 psk_dhe_ke，更早的版本用 ECDHE_PSK。",
    },
    weak_group: Advice {
        what: "群 {name} 太弱，或只是试验性的。",
        mend: "提供 X25519MLKEM768、x25519 和 secp256r1。",
    },
    finite_field: Advice {
        what: "密钥交换的素数由服务器选定，客户端分不清好坏（2015 年的 Logjam）。",
        mend: "改用椭圆曲线：带 ECDHE 的密码套件，或 TLS 1.3。",
    },
    weak_signature: Advice {
        what: "握手用 {name} 签名，它依赖过时的哈希或密钥。",
        mend: "只接受使用 SHA-256 或更强哈希的签名。",
    },
    weak_certificate_key: Advice {
        what: "证书的密钥 {name} 太短。",
        mend: "用新的密钥申请证书：ECDSA P-256，或 2048 位以上的 RSA。",
    },
    weak_certificate_signature: Advice {
        what: "证书用 {name} 签名：可以造出在它看来一模一样的其他证书。",
        mend: "申请用 SHA-256 或更强哈希签名的新证书。",
    },
    no_extended_main_secret: Advice {
        what: "主密钥并不取决于整个握手，中间人可使两个连接共用它（2014 年的三重握手攻击）。",
        mend: "升级不支持扩展主密钥（RFC 7627）的一方，或使用 TLS 1.3。",
    },
    no_secure_renegotiation: Advice {
        what: "新的握手不会与前一次绑定（CVE-2009-3555）。",
        mend: "升级不支持 renegotiation_info（RFC 5746）的一方，或使用 TLS 1.3。",
    },
    compression: Advice {
        what: "内容先压缩后加密，长度会泄露内容（2012 年的 CRIME）。",
        mend: "关闭 TLS 中的压缩。",
    },
    early_data: Advice {
        what: "服务器在握手结束之前就接受了数据，别人可以复制并再次发送。",
        mend: "只接受重复执行也无害的请求，或关闭 0-RTT。",
    },
    downgraded: Advice {
        what: "服务器的随机数表明本可使用更新的版本：有人改动了握手。",
        mend: "断开连接，并查明途中有什么。",
    },
    refuted: Advice {
        what: "这一条不成立：{name}",
        mend: "查明原因之前，不要信任本次连接。",
    },
    heartbleed: Advice {
        what: "有心跳消息索要的字节多于它所带的：这是“心脏出血”攻击的尝试（CVE-2014-0160）。",
        mend: "升级 OpenSSL；若服务器应答了它，还要更换密钥和口令。",
    },
    not_quantum_exchange: Advice {
        what: "今天录下连接的人，等有了大型量子计算机就能读出内容。",
        mend: "双方都启用 X25519MLKEM768。",
    },
    name_in_clear: Advice {
        what: "主机名在第一条消息中是明文。",
        mend: "若对此在意，可使用 ECH，这需要服务器支持。",
    },
    tickets_of_tls12: Advice {
        what: "票据中封装了会话的秘密：服务器的一把密钥就能打开所有这样的连接。",
        mend: "经常更换票据密钥，或使用 TLS 1.3，其票据打不开先前的连接。",
    },
    truncated: Advice {
        what: "有一方没有声明结束就停止了，被截短的应答看上去也会如此。",
        mend: "发送 close_notify，并在 TLS 之上核对长度。",
    },
    renegotiation: Advice {
        what: "在连接内重新生成了密钥或重新握手。",
        mend: "若无必要，请关闭重协商。",
    },
    legacy_suite: Advice {
        what: "{name} 已经过时。",
        mend: "优先使用带 ECDHE 以及 AES-GCM 或 ChaCha20-Poly1305 的密码套件。",
    },
    fault: Advice {
        what: "所发送的内容有不合要求之处，错误列表说明了是什么、在哪里。",
        mend: "查明是哪一方出错：程序有错、录制有损，还是遭到攻击。",
    },
};
