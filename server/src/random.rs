//! Numbers that look random and follow from a seed: the same at every run and on every machine.

/// The numbers of splitmix64 (Steele, Lea and Flood, OOPSLA 2014). Not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// Those of a seed.
    pub fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// Those of a thing: its kind and its number.
    pub fn of(kind: u64, number: u64) -> Self {
        let mut random = Self(kind.wrapping_mul(0xd6e8_feb8_6659_fd93) ^ number);
        random.bits();
        random
    }

    /// 64 bits, each as likely as the other.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 up to `end`; 0 where that is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        // The upper half of the product: a remainder would draw the first ones a little more often.
        ((u128::from(self.bits()) * u128::from(end)) >> 64) as u64
    }

    /// Nearly normal, with a deviation of one: the sum of four even ones.
    pub fn normal(&mut self) -> f32 {
        let bits = self.bits();
        let sum: u64 = (0..4).map(|part| (bits >> (16 * part)) & 0xffff).sum();
        (sum as f32 / 65_535.0 - 2.0) * 1.732
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_paper_and_even() {
        let mut random = Random::seeded(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        let (mut counts, mut sum, mut squares) = ([0_u32; 10], 0.0, 0.0);
        for _ in 0..100_000 {
            counts[random.below(10) as usize] += 1;
            let normal = f64::from(random.normal());
            sum += normal;
            squares += normal * normal;
        }
        assert!(
            counts.iter().all(|count| count.abs_diff(10_000) < 500),
            "{counts:?}"
        );
        assert!((sum / 1e5).abs() < 0.02 && (squares / 1e5 - 1.0).abs() < 0.02);
        assert_eq!(random.below(0), 0);
    }
}
