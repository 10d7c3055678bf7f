use super::parts::TRAITS;
use domain::hash64;

/// What is said of a pinner and of pins, as rows of the hashed table of traits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RankTraits {
    pinner: Vec<u32>,
    ends: Vec<u32>,
    rows: Vec<u32>,
}

impl RankTraits {
    /// Those of a pinner, by their keys; those of pins are to be pushed.
    pub fn new(pinner: impl IntoIterator<Item = u64>) -> RankTraits {
        RankTraits { pinner: pinner.into_iter().map(|key| row(key, 0)).collect(), ..RankTraits::default() }
    }

    /// Adds those of the next pin, by their keys.
    pub fn push(&mut self, pin: impl IntoIterator<Item = u64>) {
        self.rows.extend(pin.into_iter().map(|key| row(key, 1)));
        self.ends.push(self.rows.len() as u32);
    }

    /// Rows of the pinner.
    pub fn pinner(&self) -> &[u32] {
        &self.pinner
    }

    /// Rows of a pin; none for one that was not pushed.
    pub fn pin(&self, number: usize) -> &[u32] {
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |&end| end as usize);
        self.ends.get(number).map_or(&[], |&end| &self.rows[start..end as usize])
    }
}

fn row(key: u64, half: u64) -> u32 {
    const HALF: u64 = TRAITS as u64 / 2;
    (half * HALF + hash64(key) % HALF) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pin_has_its_own_and_the_pinner_others() {
        let mut traits = RankTraits::new([7]);
        [&[1, 2][..], &[], &[7]].into_iter().for_each(|keys| traits.push(keys.iter().copied()));
        assert_eq!([0, 1, 2, 3].map(|pin| traits.pin(pin).len()), [2, 0, 1, 0]);
        assert_ne!(traits.pinner(), traits.pin(2), "the same words, said of somebody else");
    }
}
