//! Base45 (RFC 9285): bytes as the 45 characters of QR's alphanumeric mode, 3 characters for 2 bytes.

/// The alphabet (RFC 9285, table 1).
const ALPHABET: &[u8; 45] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

/// The text of these bytes.
pub fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(2) * 3);
    let mut digits = |mut number: usize, count: usize| {
        for _ in 0..count {
            text.push(char::from(ALPHABET[number % 45]));
            number /= 45;
        }
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    for [high, low] in pairs {
        digits(usize::from(*high) << 8 | usize::from(*low), 3);
    }
    if let [last] = rest {
        digits(usize::from(*last), 2);
    }
    text
}

/// The bytes of a text.
///
/// # Errors
/// The byte of the text at which it is no Base45: a character that is not of the alphabet, three that stand for more
/// than 65 535, two for more than 255, or a single one at the end.
pub fn decode(text: &str) -> Result<Vec<u8>, usize> {
    let mut bytes = Vec::with_capacity(text.len() / 3 * 2 + 1);
    for (number, digits) in text.as_bytes().chunks(3).enumerate() {
        let start = number * 3;
        let mut value = 0u32;
        for (place, character) in digits.iter().enumerate().rev() {
            let digit = ALPHABET
                .iter()
                .position(|known| known == character)
                .ok_or(start + place)?;
            value = value * 45 + u32::try_from(digit).map_err(|_| start + place)?;
        }
        match digits.len() {
            3 => bytes.extend_from_slice(&u16::try_from(value).map_err(|_| start)?.to_be_bytes()),
            2 => bytes.push(u8::try_from(value).map_err(|_| start)?),
            _ => return Err(start),
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9285, sections 4.3 and 4.4.
    #[test]
    fn texts_are_those_of_rfc_9285() {
        for (bytes, text) in [
            ("AB", "BB8"),
            ("Hello!!", "%69 VD92EX0"),
            ("base-45", "UJCLQE7W581"),
            ("ietf!", "QED8WEX0"),
        ] {
            assert_eq!(encode(bytes.as_bytes()), text);
            assert_eq!(decode(text), Ok(bytes.as_bytes().to_vec()));
        }
    }

    /// RFC 9285, section 6, and what no encoder writes.
    #[test]
    fn what_is_no_base45_is_refused_with_its_place() {
        assert_eq!(decode("FGW"), Ok(vec![0xff, 0xff]));
        assert_eq!(decode("GGW"), Err(0));
        assert_eq!(decode("BB8:::"), Err(3));
        assert_eq!(decode("::"), Err(0));
        assert_eq!(decode("BB8A"), Err(3));
        assert_eq!(decode("BBa"), Err(2));
        assert_eq!(decode("BBá"), Err(2));
    }

    #[test]
    fn every_length_survives() {
        for length in 0..70u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(41)).collect();
            assert_eq!(decode(&encode(&bytes)), Ok(bytes));
        }
    }
}
