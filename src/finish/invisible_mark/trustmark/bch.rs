//! BCH codes over GF(128), as `bchecc.py` of the reference has them.

/// x^7 + x^3 + 1, the reference's `BCH_POLYNOMIAL`.
const POLYNOMIAL: usize = 137;
const FIELD_BITS: usize = 7;
/// Elements of the field other than 0, and the longest word, in bits.
const ORDER: usize = 127;

/// A code that puts right up to `corrects` wrong bits of a word.
#[derive(Debug)]
pub(super) struct Bch {
    corrects: usize,
    /// Coefficients of the generator from the highest power on.
    generator: Vec<bool>,
    power: [u8; ORDER],
    log: [usize; ORDER + 1],
}

impl Bch {
    pub(super) fn new(corrects: usize) -> Self {
        let (mut power, mut log) = ([0; ORDER], [0; ORDER + 1]);
        let mut value = 1;
        for (exponent, power) in power.iter_mut().enumerate() {
            *power = value as u8;
            log[value] = exponent;
            value <<= 1;
            if value > ORDER {
                value ^= POLYNOMIAL;
            }
        }
        let mut code = Self { corrects, generator: Vec::new(), power, log };
        code.generator = code.generator_of(corrects);
        code
    }

    /// The product of the minimal polynomials of a, a^3, … a^(2t-1).
    fn generator_of(&self, corrects: usize) -> Vec<bool> {
        let mut roots = [false; ORDER];
        for odd in (1..2 * corrects).step_by(2) {
            let mut root = odd;
            for _ in 0..FIELD_BITS {
                roots[root] = true;
                root = 2 * root % ORDER;
            }
        }
        // From the lowest power on while it is multiplied out.
        let mut product = vec![1_u8];
        for root in (0..ORDER).filter(|root| roots[*root]) {
            let mut next = vec![0; product.len() + 1];
            for (at, &coefficient) in product.iter().enumerate() {
                next[at + 1] ^= coefficient;
                next[at] ^= self.times(coefficient, self.power[root]);
            }
            product = next;
        }
        product.into_iter().rev().map(|coefficient| coefficient != 0).collect()
    }

    pub(super) fn check_bits(&self) -> usize {
        self.generator.len() - 1
    }

    /// The check bits of a message: the remainder of it, moved up by as many places, by the generator.
    pub(super) fn check(&self, message: &[bool]) -> Vec<bool> {
        let mut rest = message.to_vec();
        rest.resize(message.len() + self.check_bits(), false);
        for at in 0..message.len() {
            if rest[at] {
                for (bit, taken) in rest[at..].iter_mut().zip(&self.generator) {
                    *bit ^= taken;
                }
            }
        }
        rest.split_off(message.len())
    }

    /// Puts a word of message and check bits right, and says how many bits were wrong; `None` where it is further than
    /// [`Bch::new`]'s number from every word that was ever coded. The word is then as it was.
    pub(super) fn correct(&self, word: &mut [bool]) -> Option<usize> {
        if word.len() > ORDER {
            return None;
        }
        let highest = word.len() - 1;
        let syndromes: Vec<u8> = (1..=2 * self.corrects)
            .map(|root| {
                let ones = word.iter().enumerate().filter(|(_, bit)| **bit);
                ones.fold(0, |sum, (at, _)| sum ^ self.power[root * (highest - at) % ORDER])
            })
            .collect();
        let locator = self.locator(&syndromes)?;
        let wrong: Vec<usize> = (0..word.len())
            .filter(|at| {
                // The locator's roots are the inverses of the places.
                let inverse = (ORDER - (highest - at) % ORDER) % ORDER;
                let terms = locator.iter().enumerate().map(|(degree, &coefficient)| {
                    self.times(coefficient, self.power[degree * inverse % ORDER])
                });
                terms.fold(0, |sum, term| sum ^ term) == 0
            })
            .collect();
        if wrong.len() != locator.len() - 1 {
            return None;
        }
        for at in &wrong {
            word[*at] ^= true;
        }
        Some(wrong.len())
    }

    /// Berlekamp and Massey: the shortest polynomial, from its lowest power on, that explains the syndromes.
    fn locator(&self, syndromes: &[u8]) -> Option<Vec<u8>> {
        let (mut current, mut before) = (vec![1_u8], vec![1_u8]);
        let (mut length, mut gap, mut last) = (0, 1, 1_u8);
        for at in 0..syndromes.len() {
            let explained = |degree: usize| {
                self.times(current.get(degree).copied().unwrap_or_default(), syndromes[at - degree])
            };
            let discrepancy = (1..=length).fold(syndromes[at], |sum, degree| sum ^ explained(degree));
            if discrepancy == 0 {
                gap += 1;
                continue;
            }
            let factor = self.times(discrepancy, self.inverse(last));
            let kept = current.clone();
            if current.len() < before.len() + gap {
                current.resize(before.len() + gap, 0);
            }
            for (degree, &coefficient) in before.iter().enumerate() {
                current[degree + gap] ^= self.times(factor, coefficient);
            }
            if 2 * length <= at {
                (length, before, last, gap) = (at + 1 - length, kept, discrepancy, 1);
            } else {
                gap += 1;
            }
        }
        while current.last() == Some(&0) {
            current.pop();
        }
        (current.len() == length + 1 && length <= self.corrects).then_some(current)
    }

    fn times(&self, a: u8, b: u8) -> u8 {
        if a == 0 || b == 0 {
            return 0;
        }
        self.power[(self.log[usize::from(a)] + self.log[usize::from(b)]) % ORDER]
    }

    /// Of a number that is not 0.
    fn inverse(&self, value: u8) -> u8 {
        self.power[(ORDER - self.log[usize::from(value)]) % ORDER]
    }
}
