//! Deltas: an object as copies from another one, and what is new.

use super::Broken;

const CORRUPT: Broken = Broken::Corrupt("has a delta that can't be applied");

/// The size of the base and that of the result, and where the instructions begin.
pub(super) fn sizes(delta: &[u8]) -> Result<(u64, u64, usize), Broken> {
    let mut at = 0;
    let base = size(delta, &mut at)?;
    let result = size(delta, &mut at)?;
    Ok((base, result, at))
}

fn size(delta: &[u8], at: &mut usize) -> Result<u64, Broken> {
    let mut size = 0_u64;
    for shift in (0..63).step_by(7) {
        let byte = *delta.get(*at).ok_or(CORRUPT)?;
        *at += 1;
        size |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(size);
        }
    }
    Err(CORRUPT)
}

/// What a delta makes of `base`. The caller has looked at the size that it says.
pub(super) fn apply(base: &[u8], delta: &[u8]) -> Result<Vec<u8>, Broken> {
    let (base_size, size, mut at) = sizes(delta)?;
    if base_size != base.len() as u64 {
        return Err(CORRUPT);
    }
    let size = usize::try_from(size).map_err(|_| CORRUPT)?;
    let mut result = Vec::with_capacity(size.min(delta.len().saturating_add(base.len())));
    while let Some(&instruction) = delta.get(at) {
        at += 1;
        let part = match instruction {
            0 => return Err(CORRUPT),
            1..=0x7f => {
                let part = delta.get(at..at + usize::from(instruction));
                at += usize::from(instruction);
                part
            }
            _ => {
                let mut number = |first: u32, bytes: u32| -> Result<usize, Broken> {
                    let mut number = 0;
                    for bit in 0..bytes {
                        if u32::from(instruction) & (1 << (first + bit)) != 0 {
                            number |= usize::from(*delta.get(at).ok_or(CORRUPT)?) << (8 * bit);
                            at += 1;
                        }
                    }
                    Ok(number)
                };
                let from = number(0, 4)?;
                let length = match number(4, 3)? {
                    0 => 0x1_0000,
                    length => length,
                };
                base.get(from..from + length)
            }
        };
        let part = part.ok_or(CORRUPT)?;
        if result.len() + part.len() > size {
            return Err(CORRUPT);
        }
        result.extend_from_slice(part);
    }
    if result.len() != size {
        return Err(CORRUPT);
    }
    Ok(result)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn copies_and_insertions() {
        // 8 bytes become 9: "lo" from 3, "!x" inserted, 5 bytes from 0.
        let delta = [8, 9, 0x91, 3, 2, 2, b'!', b'x', 0x90, 5];
        assert_eq!(apply(b"hello wo", &delta).unwrap(), b"lo!xhello");
    }

    #[test]
    fn what_leads_outside_of_the_base_is_refused() {
        for delta in [
            [8, 9, 0x91, 7, 2].as_slice(),
            &[8, 2, 0x91, 0, 3],
            &[8, 3, 0x91, 0, 2],
            &[7, 2, 0x91, 0, 2],
            &[8, 2, 0],
            &[8, 2, 5, b'x'],
            &[8, 2, 0xff, 1],
            &[0x80; 12],
            &[],
        ] {
            assert!(apply(b"hello wo", delta).is_err(), "{delta:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_delta_or_none(
            base in prop::collection::vec(any::<u8>(), 0..40),
            rest in prop::collection::vec(any::<u8>(), 0..60),
            size in 0..100_u8,
        ) {
            let mut delta = vec![u8::try_from(base.len()).unwrap(), size];
            delta.extend(rest);
            if let Ok(result) = apply(&base, &delta) {
                prop_assert_eq!(result.len(), usize::from(size));
            }
        }
    }
}
