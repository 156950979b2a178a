//! A projector that does what its parameters say, and all of it is wrong: what the program's tests hold against the sandbox.
//!
//! It is built beside the projectors that ship, and only tests run it.

use hallmark_projector::{Card, Signal, Stance, View, projector};

projector! {
    id: "hostile",
    version: env!("CARGO_PKG_VERSION"),
    summary: "Does what its parameters say.",
    claims: ["*"],
    project: card_of,
}

fn card_of(view: &View) -> Result<Card, String> {
    let does = |what: &str| view.parameters.contains(&format!("\"{what}\""));
    if does("loop") {
        let mut n = 1_u64;
        while n != 0 {
            n = std::hint::black_box(n | 1);
        }
    }
    if does("recurse") {
        return Err(deeper(1).to_string());
    }
    if does("allocate") {
        let mut all: Vec<Vec<u8>> = Vec::new();
        loop {
            all.push(std::hint::black_box(vec![1; 1 << 20]));
        }
    }
    assert!(!does("panic"), "on purpose");
    if does("refuse") {
        return Err("these parameters make no sense".to_owned());
    }
    let mut card = plain(view);
    if does("megabytes") {
        card.summary = "x".repeat(10 << 20);
    }
    if does("signals") {
        card.signals = vec![card.signals.remove(0); 33];
    }
    if does("utf8") {
        // SAFETY: not safe at all, which is the point: the host must not believe that this is text.
        card.headline = unsafe { String::from_utf8_unchecked(vec![0xff, 0xfe]) };
    }
    if does("evidence") {
        card.evidence = vec![view.log_size + 1];
    }
    if does("others") {
        card.evidence = vec![1];
    }
    if let Some(signal) = card.signals.first_mut().filter(|_| does("confidence")) {
        signal.confidence = Some(1_500_000);
    }
    if does("control") {
        "\u{1b}[2J".clone_into(&mut card.headline);
    }
    if does("nan") {
        card.summary = not_a_number();
    }
    Ok(card)
}

fn plain(view: &View) -> Card {
    let signal = Signal {
        label: "records".to_owned(),
        stance: Stance::Informational,
        summary: format!("{} of them", view.total),
        stance_text: None,
        confidence: None,
        source: None,
        games: 0,
        issuers: 0,
        evidence: view.recent.iter().take(1).map(|of| of.seq).collect(),
    };
    Card {
        headline: "What the parameters say".to_owned(),
        summary: String::new(),
        signals: vec![signal],
        caveats: Vec::new(),
        evidence: Vec::new(),
    }
}

#[allow(unconditional_recursion, reason = "that is what it is for")]
fn deeper(n: u64) -> u64 {
    std::hint::black_box(deeper(std::hint::black_box(n + 1)) + 1)
}

/// The bits of numbers that are none, made in several ways: they are the same wherever this runs, or cards would differ.
#[allow(clippy::float_arithmetic, reason = "that is what it is for")]
fn not_a_number() -> String {
    let (zero, nought) = (std::hint::black_box(0.0_f64), std::hint::black_box(0.0_f64));
    let all = [
        zero / nought,
        (zero / nought).sqrt(),
        -(zero / nought),
        f64::from_bits(0x7ff8_dead_beef_0001) + zero,
    ];
    let bits: Vec<String> = all.iter().map(|number| format!("{:016x}", number.to_bits())).collect();
    bits.join(" ")
}
