//! One token out of many, by a seed.

use crate::enhance::random::Random;

/// Candidates that chance chooses from.
const TOP: usize = 20;
/// Below 1 the likely ones become likelier.
const TEMPERATURE: f32 = 0.6;
/// What a token loses, in logits, for each time it was said.
const SAID_BEFORE: f32 = 1.5;

/// `said` is what was chosen so far; `may_repeat` are the tokens that lose nothing by it.
pub(super) fn choose(
    mut logits: Vec<f32>,
    said: &[u32],
    may_repeat: &[u32],
    random: &mut Random,
) -> Option<u32> {
    for token in said.iter().filter(|token| !may_repeat.contains(token)) {
        if let Some(logit) = logits.get_mut(*token as usize) {
            *logit -= SAID_BEFORE;
        }
    }
    let mut order: Vec<u32> = (0..u32::try_from(logits.len()).ok()?).collect();
    let logit = |token: u32| logits[token as usize];
    let top = TOP.min(order.len());
    if top == 0 {
        return None;
    }
    order.select_nth_unstable_by(top - 1, |a, b| logit(*b).total_cmp(&logit(*a)));
    order.truncate(top);
    // Equal logits in one order, so that a seed means the same each time.
    order.sort_unstable_by(|a, b| logit(*b).total_cmp(&logit(*a)).then(a.cmp(b)));
    let best = logit(*order.first()?);
    let weights: Vec<f32> = order.iter().map(|token| ((logit(*token) - best) / TEMPERATURE).exp()).collect();
    let mut left = random.unit() * weights.iter().sum::<f32>();
    let chosen = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    order.get(chosen.unwrap_or_default()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_likely_is_chosen_often_and_the_said_less() {
        let draws = |said: &[u32]| {
            let mut random = Random::new(1, "");
            let all: Vec<u32> = (0..2_000)
                .map(|_| choose(vec![0.0, 2.0, 1.5, -30.0], said, &[], &mut random).unwrap())
                .collect();
            (0..4).map(|token| all.iter().filter(|drawn| **drawn == token).count()).collect::<Vec<_>>()
        };
        let plain = draws(&[]);
        assert!(plain[1] > plain[2] && plain[2] > plain[0] && plain[3] == 0, "{plain:?}");
        let said = draws(&[1]);
        assert!(said[2] > said[1], "{said:?}");
        assert_eq!(choose(Vec::new(), &[], &[], &mut Random::new(1, "")), None);
        assert_eq!(
            choose(vec![f32::NAN; 3], &[], &[], &mut Random::new(1, "")).map(|token| token < 3),
            Some(true)
        );
    }
}
