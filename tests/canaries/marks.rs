//! Things that nobody would say by chance, each told to the service once.

use serde_json::{Value, json};

/// Everything marked that the service was told.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    count: u32,
    /// Names, addresses, notes, tokens: found however they are written.
    pub texts: Vec<String>,
    /// Phone numbers: ten digits of the United States.
    pub phones: Vec<String>,
    /// Exact points: latitude, longitude.
    pub points: Vec<(f64, f64)>,
    /// What a coordinator makes public later, and may be found.
    published: Vec<String>,
    published_points: Vec<(f64, f64)>,
}

impl Marks {
    /// Looks random, and is another one each time (an xorshift of a counter).
    fn next(&mut self) -> u64 {
        self.count += 1;
        let mut x = u64::from(self.count).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        x ^= x >> 29;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^ (x >> 32)
    }

    fn word(&mut self) -> String {
        let mut rest = self.next();
        let mut word = String::from("Q");
        for _ in 0..11 {
            word.push(char::from(b"bcdfghjklmnpqrstvwxz"[(rest % 20) as usize]));
            rest /= 20;
        }
        word
    }

    pub fn text(&mut self) -> String {
        let word = self.word();
        self.texts.push(word.clone());
        word
    }

    pub fn name(&mut self) -> String {
        self.text()
    }

    pub fn public(&mut self) -> String {
        let word = self.word();
        self.published.push(word.clone());
        word
    }

    /// The marks that may be found, as if they might not.
    pub fn only_public(&self) -> Self {
        Self {
            texts: self.published.clone(),
            points: self.published_points.clone(),
            ..Self::default()
        }
    }

    pub fn token(&mut self, token: &str) {
        self.texts.push(token[4..].to_owned());
    }

    pub fn email(&mut self) -> String {
        format!("{}@example.org", self.text())
    }

    pub fn phone(&mut self) -> String {
        // 555-0100 to 0199 ring nowhere; the area codes are those around Minneapolis.
        let n = self.phones.len();
        let area = [612, 651, 763, 952, 320, 507, 218][n / 100 % 7];
        let phone = format!("{area}55501{:02}", n % 100);
        self.phones.push(phone.clone());
        phone
    }

    pub fn contact(&mut self) -> Value {
        json!({
            "name": self.name(), "email": self.email(), "phone": self.phone(),
            "other": self.text(), "note": self.text(),
        })
    }

    /// The place of a site, which will be public.
    pub fn public_location(&mut self) -> Value {
        let location = self.location();
        self.published_points.extend(self.points.pop());
        location
    }

    pub fn location(&mut self) -> Value {
        let (a, b) = (self.next() % 100_000, self.next() % 100_000);
        // Anchorage: no second of any minute is the 61st, so no instant looks like a latitude.
        let point = (
            61.1 + a as f64 / 1e6 + 1.3e-7,
            -149.9 + b as f64 / 1e6 + 2.7e-7,
        );
        self.points.push(point);
        json!({"lat": point.0, "lon": point.1, "address": format!("12 {}", self.text())})
    }

    pub fn small_number(&mut self) -> u64 {
        self.next() % 250
    }
}
