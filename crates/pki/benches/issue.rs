//! What issuing, reading and writing certificates costs beside the cryptography that it cannot do
//! without: aws-lc, bare.
//!
//!     cargo bench -p ravelin-pki --bench issue --profile bench-run
//!     cargo bench -p ravelin-pki --bench issue --profile bench-run -- --ratio [CERTIFICATES]
//!     perf stat -e instructions:u target/bench-run/deps/issue-… --repeat leaf 10000
//!
//! The second prints one line of JSON, for `bench/certificates`: both kinds take turns a hundred at a
//! time, so that a machine that is slow for a while is so for both. All figures are CPU time of the
//! thread: what else the machine does is not in them. The third does one kind of work and nothing else,
//! for counting its instructions where a machine is too busy for its times to mean much: what 20,000
//! take more than 10,000.

#![allow(clippy::print_stdout, reason = "its figures are what it is for")]
#![allow(clippy::unwrap_used, reason = "what fails here is to be seen")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use criterion::{Bencher, Criterion, Throughput};
use ravelin_pki::authority::LEAF_LIFE;
use ravelin_pki::{Authority, Certificate, HostName, NameConstraints, PrivateKey, Template, pem};
use rustix::time::{ClockId, clock_gettime};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let setting = Setting::new();
    match words[..] {
        // `cargo bench` adds a word of its own behind these.
        ["--ratio", count, ..] => return ratios(&setting, count.parse().unwrap_or(10_000)),
        ["--repeat", work, count] => return repeat(&setting, work, count.parse().unwrap()),
        _ => {}
    }
    let mut criterion = Criterion::default().configure_from_args();
    issuing(&mut criterion, &setting);
    reading(&mut criterion, &setting);
    writing(&mut criterion, &setting);
    criterion.final_summary();
}

fn issuing(criterion: &mut Criterion, setting: &Setting) {
    let mut group = criterion.benchmark_group("issue");
    let mut bench = |name: &str, work: &dyn Fn()| {
        group.bench_function(name, |bencher| cpu(bencher, work));
    };
    bench("bare key and signature", &|| setting.bare());
    bench("leaf: key and certificate, made to fit", &|| setting.leaf());
    bench("key, then certificate", &|| setting.issue());
    bench("bare signature", &|| setting.bare_signature());
    bench("certificate for a key that is there", &|| setting.certify());
    group.finish();
}

fn reading(criterion: &mut Criterion, setting: &Setting) {
    let leaf = setting
        .intermediate
        .leaf(&setting.names, setting.now)
        .unwrap();
    let der = leaf.certificate().der();
    let pem = leaf.certificate().to_pem();
    let mut group = criterion.benchmark_group("read");
    group.throughput(Throughput::Elements(1));
    group.bench_function("certificate", |bencher| {
        cpu(bencher, || drop(black_box(Certificate::from_der(der))));
    });
    group.bench_function("certificate in PEM", |bencher| {
        cpu(bencher, || {
            drop(black_box(pem::certificates(pem.as_bytes())));
        });
    });
    let (chain, key) = (leaf.chain_pem(), leaf.key_pem());
    group.bench_function("chain and key, checked to belong together", |bencher| {
        cpu(bencher, || {
            drop(black_box(ravelin_pki::Leaf::from_pem(
                chain.as_bytes(),
                key.as_bytes(),
            )));
        });
    });
    group.finish();
}

fn writing(criterion: &mut Criterion, setting: &Setting) {
    let leaf = setting
        .intermediate
        .leaf(&setting.names, setting.now)
        .unwrap();
    let mut group = criterion.benchmark_group("write");
    group.bench_function("certificate in PEM", |bencher| {
        cpu(bencher, || drop(black_box(leaf.certificate().to_pem())));
    });
    group.bench_function("key in PEM", |bencher| {
        cpu(bencher, || drop(black_box(leaf.key_pem())));
    });
    group.finish();
}

/// Both kinds in turns, and the ratio of their sums.
fn ratios(setting: &Setting, count: u32) {
    const TURN: u32 = 100;
    let kinds: [&dyn Fn(); 5] = [
        &|| setting.bare(),
        &|| setting.leaf(),
        &|| setting.issue(),
        &|| setting.bare_signature(),
        &|| setting.certify(),
    ];
    let mut sums = [Duration::ZERO; 5];
    for work in kinds {
        repeated(TURN, work);
    }
    let turns = count.div_ceil(TURN);
    for _ in 0..turns {
        for (work, sum) in kinds.iter().zip(&mut sums) {
            *sum += repeated(TURN, work);
        }
    }
    let each = sums.map(|sum| sum.as_secs_f64() * 1e6 / f64::from(turns * TURN));
    let [bare, leaf, issue, signature, certify] = each;
    println!(
        "{{\"certificates\": {}, \"bare_us\": {bare:.3}, \"leaf_us\": {leaf:.3}, \"leaf_ratio\": \
         {:.4}, \"issue_us\": {issue:.3}, \"issue_ratio\": {:.4}, \"bare_signature_us\": \
         {signature:.3}, \"certify_us\": {certify:.3}, \"certify_ratio\": {:.4}}}",
        turns * TURN,
        leaf / bare,
        issue / bare,
        certify / signature,
    );
}

fn repeat(setting: &Setting, work: &str, count: u32) {
    let work: &dyn Fn() = match work {
        "bare" => &|| setting.bare(),
        "leaf" => &|| setting.leaf(),
        "issue" => &|| setting.issue(),
        "bare-signature" => &|| setting.bare_signature(),
        "certify" => &|| setting.certify(),
        "read" => &|| drop(black_box(Certificate::from_der(&setting.read))),
        _ => panic!("no such work: {work}"),
    };
    (0..count).for_each(|_| work());
}

/// A CA with an intermediate, what it is asked for, and the bytes that such a certificate signs.
struct Setting {
    intermediate: Authority,
    names: Vec<HostName>,
    template: Template,
    holder: PrivateKey,
    signed: Vec<u8>,
    read: Vec<u8>,
    bare: EcdsaKeyPair,
    now: SystemTime,
}

impl Setting {
    fn new() -> Self {
        let now = SystemTime::now();
        let key = || PrivateKey::generate().unwrap();
        let root = Authority::root("Bench", key(), &NameConstraints::local(), now).unwrap();
        let intermediate = root.intermediate("Bench 1", key(), now).unwrap();
        let names: Vec<HostName> = ["app.localhost", "*.app.localhost", "127.0.0.1", "::1"]
            .map(|name| name.parse().unwrap())
            .into();
        let leaf = intermediate.leaf(&names, now).unwrap();
        Self {
            signed: leaf.certificate().signed().message().to_vec(),
            read: leaf.certificate().der().to_vec(),
            template: Template::leaf(names.iter().map(Into::into).collect()),
            intermediate,
            names,
            holder: key(),
            bare: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            now,
        }
    }

    /// What nobody can do without: a key, and a signature over as many bytes.
    fn bare(&self) {
        black_box(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap());
        self.bare_signature();
    }

    fn bare_signature(&self) {
        let random = SystemRandom::new();
        black_box(self.bare.sign(&random, &self.signed).unwrap());
    }

    fn leaf(&self) {
        black_box(self.intermediate.leaf(&self.names, self.now).unwrap());
    }

    fn issue(&self) {
        let key = PrivateKey::generate().unwrap();
        black_box(
            self.intermediate
                .issue(&self.template, key.public_key(), LEAF_LIFE, self.now)
                .unwrap(),
        );
        black_box(key);
    }

    fn certify(&self) {
        let key = self.holder.public_key();
        black_box(
            self.intermediate
                .issue(&self.template, key, LEAF_LIFE, self.now)
                .unwrap(),
        );
    }
}

/// Criterion's figures, by CPU time.
fn cpu(bencher: &mut Bencher<'_>, work: impl Fn()) {
    bencher.iter_custom(|times| {
        let start = clock();
        for _ in 0..times {
            work();
        }
        clock().saturating_sub(start)
    });
}

fn repeated(times: u32, work: impl Fn()) -> Duration {
    let start = clock();
    for _ in 0..times {
        work();
    }
    clock().saturating_sub(start)
}

/// The CPU time of this thread.
fn clock() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.unsigned_abs(),
        u32::try_from(time.tv_nsec).unwrap(),
    )
}
