/// Whether a time such as `1970-01-01 01:00:00.000000000 +0100` is the beginning of 1970, with which `diff -N` says that there is no file.
pub(super) fn is_epoch(time: &[u8]) -> bool {
    let Some((day, rest)) = time.split_at_checked(10) else { return false };
    // At the beginning of 1970, it is the evening of the day before west of Greenwich.
    let minutes_of_day = match day {
        b"1970-01-01" => 0,
        b"1969-12-31" => -24 * 60,
        _ => return false,
    };
    let [b' ', h1, h2, b':', m1, m2, b':', b'0', b'0', rest @ ..] = rest else { return false };
    let zeros = match rest {
        [b'.', digits @ ..] => 1 + digits.iter().take_while(|digit| **digit == b'0').count(),
        _ => 0,
    };
    let Some([b' ', sign, z1, z2, z3, z4]) = rest.get(zeros..) else { return false };
    let (Some(local), Some(zone)) = (minutes([*h1, *h2, *m1, *m2]), minutes([*z1, *z2, *z3, *z4])) else {
        return false;
    };
    let zone = match sign {
        b'+' => zone,
        b'-' => -zone,
        _ => return false,
    };
    minutes_of_day + local == zone
}

fn minutes(digits: [u8; 4]) -> Option<i32> {
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let [h1, h2, m1, m2] = digits.map(|digit| i32::from(digit - b'0'));
    Some((h1 * 10 + h2) * 60 + m1 * 10 + m2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_epoch_is_one_moment_in_all_zones() {
        for epoch in ["1970-01-01 00:00:00.000000000 +0000", "1970-01-01 05:30:00 +0530", "1969-12-31 19:00:00.0 -0500"]
        {
            assert!(is_epoch(epoch.as_bytes()), "{epoch}");
        }
        for other in
            ["", "1970-01-01 00:00:00 +0100", "1970-01-01 00:00:01 +0000", "2024-01-01 00:00:00 +0000", "1970-01-01"]
        {
            assert!(!is_epoch(other.as_bytes()), "{other}");
        }
    }
}
