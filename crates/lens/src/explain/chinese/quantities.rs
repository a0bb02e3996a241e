//! What is derived.

use crate::explain::catalogue::{Derivations, Reason};

pub(super) const DERIVATIONS: Derivations = Derivations {
    name_empty_hash: "空内容的哈希",
    name_ticket_psk: "票据的 PSK",
    given: "来自外部",
    zeros: "{octets}的零",
    transcript: "从 client_hello 到 {message} 全部消息的 {hash}",
    transcript_of: "截至 {message} 的哈希",
    of_client: "{name}（客户端）",
    of_server: "{name}（服务器）",
    ssl3_inside: "MD5 与 SHA-1，各自作用于从 client_hello 到 {message} 的全部消息 + \"{sender}\" + {secret} + pad1",
    part: "{of} 的第 {start} 至 {end} 字节",
    stated: "在此算出，或由外部给出；没有其他来源可以比对",
    confirmed: "经{by}证实",
    refuted: "与{by}不符",
    not_derivable: "无法派生，缺少 {missing}",
    not_derivable_given: "未知",
    by_key_log: "密钥日志",
    by_recorder: " TLS 库实际使用的值",
    by_decryption: "用它解密的记录",
    by_peer: "对方发送的值",
    quantity_unknown: "推导密钥途中的一个值。",
};

pub(super) const QUANTITIES: &[(&str, Reason)] = &[
    (
        "0",
        Reason {
            why: "与哈希等长的一串零。",
            without: "密钥调度中本可加入秘密、而此时没有秘密的地方，用它代替。",
        },
    ),
    (
        "empty hash",
        Reason {
            why: "空内容的哈希。",
            without: "不依赖任何消息的步骤用它作上下文。",
        },
    ),
    (
        "transcript hash",
        Reason {
            why: "到此为止全部握手消息的哈希。",
            without: "它把密钥和证明绑定到这一次握手：改动一个字节，全部都会不同。",
        },
    ),
    (
        "PSK",
        Reason {
            why: "双方来自先前连接或另行约定的密钥（预共享密钥）。",
            without: "持有它的一方不必再次出示证书。",
        },
    ),
    (
        "shared_secret",
        Reason {
            why: "密钥交换的结果：双方各用自己的私有值和对方的公开值算出它。",
            without: "窃听者拿到两个公开值也算不出它。所有密钥都依赖于它。",
        },
    ),
    (
        "early_secret",
        Reason {
            why: "密钥调度的第一级，由先前的密钥或零得出。",
            without: "0-RTT 数据的密钥和先前密钥的证明由它派生。",
        },
    ),
    (
        "derived",
        Reason {
            why: "由密钥调度的上一级传到下一级的值。",
            without: "它把各级隔开：得到某一级密钥的人，既不能前推也不能后推。",
        },
    ),
    (
        "handshake_secret",
        Reason {
            why: "密钥调度的第二级：密钥交换的共享秘密在此加入。",
            without: "握手其余部分的密钥由它派生。",
        },
    ),
    (
        "main_secret",
        Reason {
            why: "密钥调度的第三级，即主密钥。",
            without: "应用数据、密钥导出和会话恢复的密钥由它派生。",
        },
    ),
    (
        "binder_key",
        Reason {
            why: "由先前的密钥得出的密钥。",
            without: "客户端用它在第一条消息中就证明自己持有先前的密钥。",
        },
    ),
    (
        "binder",
        Reason {
            why: "对 ClientHello 的消息认证码。",
            without: "它证明发送者持有先前的密钥，而且 ClientHello 未被改动。",
        },
    ),
    (
        "finished_key",
        Reason {
            why: "只用于一次消息认证码计算的密钥。",
            without: "一把密钥只作一种用途，就不会被用来对付另一种用途。",
        },
    ),
    (
        "verify_data",
        Reason {
            why: "Finished 消息应有的值：对到此为止整个握手的消息认证码。",
            without: "若与发送的一致，说明双方看到同一次握手，并拥有相同的密钥。",
        },
    ),
    (
        "client_early_traffic_secret",
        Reason {
            why: "客户端在握手结束之前所发数据的流量密钥。",
            without: "0-RTT 数据的密钥和初始化向量由它得出。",
        },
    ),
    (
        "early_exporter_secret",
        Reason {
            why: "握手结束之前供 TLS 以外使用的秘密。",
            without: "上层协议可由它派生自己的密钥。",
        },
    ),
    (
        "client_handshake_traffic_secret",
        Reason {
            why: "客户端握手部分的流量密钥。",
            without: "这些记录的密钥和初始化向量由它得出，Finished 的密钥也由它得出。",
        },
    ),
    (
        "server_handshake_traffic_secret",
        Reason {
            why: "服务器握手部分的流量密钥。",
            without: "这些记录的密钥和初始化向量由它得出，Finished 的密钥也由它得出。",
        },
    ),
    (
        "client_application_traffic_secret_0",
        Reason {
            why: "客户端所发应用数据的流量密钥。",
            without: "这些记录的密钥和初始化向量由它得出。",
        },
    ),
    (
        "server_application_traffic_secret_0",
        Reason {
            why: "服务器所发应用数据的流量密钥。",
            without: "这些记录的密钥和初始化向量由它得出。",
        },
    ),
    (
        "client_application_traffic_secret_N",
        Reason {
            why: "更换密钥之后客户端的下一个流量密钥。",
            without: "它由前一个得出，而由它推不回前一个。",
        },
    ),
    (
        "server_application_traffic_secret_N",
        Reason {
            why: "更换密钥之后服务器的下一个流量密钥。",
            without: "它由前一个得出，而由它推不回前一个。",
        },
    ),
    (
        "exporter_secret",
        Reason {
            why: "供 TLS 以外使用的秘密。",
            without: "上层协议由它派生自己的密钥，或把登录绑定到本次连接。",
        },
    ),
    (
        "resumption_secret",
        Reason {
            why: "票据密钥由它产生。",
            without: "票据把本次握手建立的信任带到下一次，却不泄露本次的密钥。",
        },
    ),
    (
        "ticket_nonce",
        Reason {
            why: "同一连接的每张票据各不相同的数。",
            without: "每张票据因此都有自己的密钥。",
        },
    ),
    (
        "PSK of the ticket",
        Reason {
            why: "与票据配套的密钥。",
            without: "下次连接可用它代替证书开始。",
        },
    ),
    (
        "write_key",
        Reason {
            why: "某一方向的加密密钥。",
            without: "它加密记录。两个方向的密钥不同，因此内容不能被原样送回发送者。",
        },
    ),
    (
        "write_iv",
        Reason {
            why: "与每条记录的序号混合得出其 nonce。",
            without: "同一密钥下 nonce 不得重复；它还使各连接的 nonce 互不相同。",
        },
    ),
    (
        "write_IV",
        Reason {
            why: "nonce 的固定部分，或第一个初始化向量。",
            without: "有了它，相同的明文不会两次加密成相同的密文。",
        },
    ),
    (
        "write_MAC_key",
        Reason {
            why: "某一方向的消息认证码密钥。",
            without: "消息认证码能发现记录被篡改。较新的算法（AEAD）把加密与认证合为一体。",
        },
    ),
    (
        "premaster_secret",
        Reason {
            why: "TLS 1.2 及更早版本密钥交换的结果，即预主密钥。",
            without: "主密钥由它产生。",
        },
    ),
    (
        "master_secret",
        Reason {
            why: "TLS 1.2 及更早版本中会话唯一的秘密，长 48 字节，即主密钥。",
            without: "会话的所有密钥都由它产生，恢复会话时继续使用它。",
        },
    ),
    (
        "key_block",
        Reason {
            why: "派生得到的一长串字节，用来切分成各个密钥。",
            without: "两个方向的密钥按固定顺序取自其中。",
        },
    ),
    (
        "handshake hash",
        Reason {
            why: "到此为止的全部握手消息、此 Finished 的发送者和秘密的散列值。",
            without: "SSL 3.0 还没有 HMAC：它做两次散列，两次都加入秘密。",
        },
    ),
    (
        "no secret",
        Reason {
            why: "代替秘密的零个字节。",
            without: "由它推出的一切，任何人都能推出。",
        },
    ),
    (
        "iv_block",
        Reason {
            why: "出口套件的首个初始化向量，由明文发送的内容推出。",
            without: "当时的法律限制的是秘密的长度：向量不得占用其中任何一位。",
        },
    ),
    (
        "final_write_key",
        Reason {
            why: "真正使用的密钥：几个秘密字节，用随机数拉长。",
            without: "它看上去与别的密钥一样长，但只有 40 或 56 位是秘密的：计算机逐一尝试就能找到。",
        },
    ),
    (
        "client_random",
        Reason {
            why: "客户端的 32 字节随机数，使本次握手与众不同。",
            without: "旧的握手因此不能向客户端重放。",
        },
    ),
    (
        "server_random",
        Reason {
            why: "服务器的 32 字节随机数，使本次握手与众不同。",
            without: "旧的握手因此不能向服务器重放。",
        },
    ),
    (
        "message_hash",
        Reason {
            why: "第一次 ClientHello 的哈希，有了第二次之后由它代替第一次。",
            without: "要求重新开始的服务器因此不必记住第一次 ClientHello。",
        },
    ),
];
