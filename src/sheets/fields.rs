//! Our fields, and the heads they go by in the forms of others.

use crate::domain::import::ImportKind;

/// A field.
#[derive(Debug)]
pub struct Field {
    /// Its name in mappings, and its head in our own exports.
    pub name: &'static str,
    /// Which rows have it; none: both.
    of: Option<ImportKind>,
    /// Heads it goes by, without case, accents, spaces and punctuation.
    pub heads: &'static [&'static str],
    /// What a head must hold to be taken for it where no head is one of these.
    pub hints: &'static [&'static str],
    /// Its limit in characters.
    pub most: Option<usize>,
    /// What stands between the cells that are joined into it.
    pub glue: &'static str,
}

const fn field(name: &'static str, heads: &'static [&'static str]) -> Field {
    Field {
        name,
        of: None,
        heads,
        hints: &[],
        most: None,
        glue: " ",
    }
}

impl Field {
    const fn only(mut self, kind: ImportKind) -> Self {
        self.of = Some(kind);
        self
    }
    const fn hints(mut self, hints: &'static [&'static str]) -> Self {
        self.hints = hints;
        self
    }
    const fn most(mut self, most: usize) -> Self {
        self.most = Some(most);
        self
    }
    const fn glue(mut self, glue: &'static str) -> Self {
        self.glue = glue;
        self
    }
}

use ImportKind::{Offers, Requests};

/// All fields. The first that claims a head gets it.
#[rustfmt::skip]
const FIELDS: &[Field] = &[
    field("email", &["email", "emailaddress", "mail", "correo", "correoelectronico", "direcciondecorreoelectronico"]).hints(&["email", "correo"]),
    field("phone", &["phone", "phonenumber", "telephone", "mobile", "cell", "cellphone", "mobilenumber", "tel", "telefono", "celular", "numerodetelefono"]).hints(&["phone", "telefono", "celular"]),
    field("name", &["name", "fullname", "yourname", "contactname", "nombre", "nombrecompleto", "nombreyapellido"]).hints(&["yourname", "fullname", "nombrecompleto"]).most(80),
    field("other", &["other", "othercontact", "signal", "whatsapp", "telegram", "otrocontacto"]).most(200),
    field("contact_note", &["contactnote", "howtoreachyou", "besttimetocall"]).most(200),
    field("channels", &["channels", "preferredcontact", "preferredcontactmethod", "contactpreference"]),
    field("caller_name", &["callername", "askingfor", "referrername"]).only(Requests).most(80),
    field("caller_phone", &["callerphone", "referrerphone"]).only(Requests),
    field("caller_email", &["calleremail", "referreremail"]).only(Requests),
    field("site_title", &["sitetitle", "sitename", "placename"]).only(Offers).most(200),
    field("site_address", &["siteaddress"]).only(Offers).most(300),
    field("walk_in", &["walkin"]).only(Offers),
    field("lat", &["lat", "latitude", "latitud"]).hints(&["latitude"]),
    field("lon", &["lon", "lng", "long", "longitude", "longitud"]).hints(&["longitude"]),
    field("point", &["point", "gps", "geopoint", "coordinates", "coordenadas"]),
    field("postal_code", &["postalcode", "zip", "zipcode", "postcode", "codigopostal", "cp"]).hints(&["zipcode", "postalcode", "codigopostal"]),
    field("country", &["country", "pais"]),
    field("full_address", &["fulladdress", "addresswithzip", "addresscityzip", "addresscitystatezip", "direccioncompleta"]).most(300).glue(", "),
    field("address", &["address", "streetaddress", "homeaddress", "direccion", "domicilio"]).hints(&["streetaddress", "youraddress", "direccion"]).most(300).glue(", "),
    field("languages", &["languages", "language", "idioma", "idiomas", "lenguaje"]).hints(&["language", "idioma"]),
    field("locale", &["locale"]),
    field("category", &["category", "need", "needs", "typeofhelp", "typeofneed", "whatdoyouneed", "whatcanyouoffer", "kindofhelp", "categoria", "necesidad", "tipodeayuda"]).hints(&["typeofhelp", "whatdoyouneed", "helpwith", "whatcanyouoffer", "quenecesita"]),
    field("quantity", &["quantity", "amount", "howmany", "howmanypeople", "householdsize", "numberofpeople", "people", "cantidad", "personas", "cuantaspersonas"]).only(Requests).hints(&["howmany", "household", "cuantas"]),
    field("capacity", &["capacity", "quantity", "amount", "howmany", "howmanypeople", "capacidad", "cantidad"]).only(Offers).hints(&["howmany", "cuantas"]),
    field("renews", &["renews"]).only(Offers),
    field("urgency", &["urgency", "howurgent", "howsoon", "urgente", "urgencia"]).only(Requests).hints(&["urgent", "howsoon"]),
    field("from", &["from", "neededfrom", "start", "startdate", "availablefrom", "dateneeded", "neededon", "fecha", "desde"]).hints(&["whendoyouneed", "dateneeded"]),
    field("until", &["until", "neededuntil", "neededby", "deadline", "end", "enddate", "availableuntil", "hasta"]),
    field("travel_m", &["travelm"]).only(Requests),
    field("handover", &["handover"]).only(Requests),
    field("splittable", &["splittable"]).only(Requests),
    field("max_helpers", &["maxhelpers"]).only(Requests),
    field("throughout", &["throughout"]).only(Requests),
    field("language_must", &["languagemust"]).only(Requests),
    field("agree_first", &["agreefirst"]).only(Requests),
    field("requires", &["requires"]).only(Requests),
    field("reach_m", &["reachm"]).only(Offers),
    field("lead_minutes", &["leadminutes"]).only(Offers),
    field("opening_hours", &["openinghours"]).only(Offers).most(255),
    field("timezone", &["timezone"]).only(Offers),
    field("provides", &["provides"]).only(Offers),
    field("note", &["note", "publicnote"]).most(500).glue("\n"),
    field("private_note", &["privatenote", "notes", "comments", "comment", "anythingelse", "details", "description", "notas", "comentarios", "mensaje"]).hints(&["anythingelse", "comments", "algomas"]).most(2_000).glue("\n"),
];

/// Heads of the columns by which forms tell their rows apart.
pub const IDS: &[&str] = &[
    "responseid",
    "submissionid",
    "recordid",
    "uuid",
    "submissionuuid",
    "id",
];

/// The fields that such rows have.
pub fn all(kind: ImportKind) -> impl Iterator<Item = &'static Field> {
    FIELDS
        .iter()
        .filter(move |field| field.of.is_none_or(|of| of == kind))
}

/// The field of that name.
pub fn find(kind: ImportKind, name: &str) -> Option<&'static Field> {
    all(kind).find(|field| field.name == name)
}

/// The prefix of a field that holds one attribute: `requires.diet`.
pub fn attribute(kind: ImportKind, name: &str) -> Option<&str> {
    let prefix = match kind {
        Requests => "requires.",
        Offers => "provides.",
    };
    name.strip_prefix(prefix).filter(|name| !name.is_empty())
}

/// A head without case, accents, spaces and punctuation.
pub fn plain(head: &str) -> String {
    head.chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'ä' => 'a',
            'é' | 'è' => 'e',
            'í' => 'i',
            'ó' | 'ö' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            c => c,
        })
        .filter(|c| c.is_alphanumeric())
        .collect()
}
