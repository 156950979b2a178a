//! What a record cannot tell, whoever projects it: said on every card by the host, and so not left to projectors.

use super::view::View;

/// Fewer voices than this are few.
const VOICES_FEW: usize = 3;

/// The caveats that hold for a view.
pub(super) fn caveats(view: &View) -> Vec<String> {
    let mut caveats = Vec::new();
    if view.wallet.is_none() {
        caveats
            .push("The agent had no wallet: nothing was signed by it as of this block.".to_owned());
    } else if !view.is_wallet_proven {
        caveats.push(
            "The wallet is unproven: it was named for the agent, and its key never agreed."
                .to_owned(),
        );
    }
    if view.wallet_agents > 1 {
        let others = view.wallet_agents - 1;
        let agents = if others == 1 { "agent has" } else { "agents have" };
        caveats.push(format!("The wallet is shared: {others} other {agents} it too."));
    }
    if view.later > 0 {
        let (are, they) = if view.later == 1 {
            ("attestation is", "it is")
        } else {
            ("attestations are", "they are")
        };
        caveats.push(format!(
            "{} more {are} dated later than block {}: {they} not counted here.",
            view.later, view.block
        ));
    }
    if view.total == 0 {
        return caveats;
    }
    if view.provisional > 0 {
        caveats.push(format!(
            "Whom {} of {} attestations are about is provisional: their blocks are not final yet.",
            view.provisional, view.total
        ));
    }
    let mut voices: Vec<_> = view.issuers.iter().map(|issuer| issuer.voice).collect();
    voices.sort_unstable();
    voices.dedup();
    if voices.len() < VOICES_FEW {
        let voices = if voices.len() == 1 {
            "one voice".to_owned()
        } else {
            format!("{} voices", voices.len())
        };
        caveats.push(format!("Few issuers: all of it was said by {voices}."));
    }
    caveats
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dated_later_than_the_block_is_told() {
        let told = |later| caveats(&View { later, block: 7, ..View::of_nobody(String::new()) });
        let of = |later| told(later).into_iter().find(|caveat| caveat.contains("later"));
        assert_eq!(of(0), None);
        assert_eq!(
            of(1).as_deref(),
            Some("1 more attestation is dated later than block 7: it is not counted here.")
        );
        assert_eq!(
            of(2).as_deref(),
            Some("2 more attestations are dated later than block 7: they are not counted here.")
        );
    }
}
