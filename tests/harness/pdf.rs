//! PDFs made by hand, good and bad (ISO 32000-1, section 7.5: header, objects, cross references, trailer).

/// A PDF in the making: numbered objects, the first of which is the catalogue.
#[derive(Clone, Debug, Default)]
pub struct Pdf {
    objects: Vec<Vec<u8>>,
    trailer: String,
}

impl Pdf {
    /// One page that says `text`.
    pub fn page(text: &str) -> Self {
        Self::with_content(format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET").as_bytes(), "")
    }

    /// One page with this content stream, whose dictionary also has `filter`.
    pub fn with_content(content: &[u8], filter: &str) -> Self {
        let mut pdf = Self::default();
        pdf.object("<< /Type /Catalog /Pages 2 0 R >>");
        pdf.object("<< /Type /Pages /Kids [3 0 R] /Count 1 >>");
        pdf.object(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R \
             /Resources << /Font << /F1 5 0 R >> >> >>",
        );
        pdf.stream(content, filter);
        pdf.object("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
        pdf
    }

    /// Adds an object.
    pub fn object(&mut self, body: &str) {
        self.objects.push(body.as_bytes().to_vec());
    }

    /// Adds a stream.
    pub fn stream(&mut self, content: &[u8], filter: &str) {
        let mut object = format!("<< /Length {} {filter} >>\nstream\n", content.len()).into_bytes();
        object.extend_from_slice(content);
        object.extend_from_slice(b"\nendstream");
        self.objects.push(object);
    }

    /// Puts another object in the place of number `number`, from 1.
    pub fn replaced(mut self, number: usize, body: &str) -> Self {
        self.objects[number - 1] = body.as_bytes().to_vec();
        self
    }

    /// Adds entries to the trailer.
    pub fn with_trailer(mut self, entries: &str) -> Self {
        self.trailer.push_str(entries);
        self
    }

    /// Encrypts nothing, and says that everything is encrypted with a password that nobody knows: what is
    /// left of it for a reader is the same.
    pub fn encrypted(self) -> Self {
        let hash = "5A".repeat(32);
        self.with_trailer(&format!(
            "/Encrypt << /Filter /Standard /V 2 /R 3 /Length 128 /P -44 /O <{hash}> /U <{hash}> >> \
             /ID [<{id}> <{id}>]",
            id = "0F".repeat(16)
        ))
    }

    /// The bytes of the file.
    pub fn bytes(&self) -> Vec<u8> {
        let mut file = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
        let mut offsets = Vec::new();
        for (index, object) in self.objects.iter().enumerate() {
            offsets.push(file.len());
            file.extend_from_slice(format!("{} 0 obj\n", index + 1).as_bytes());
            file.extend_from_slice(object);
            file.extend_from_slice(b"\nendobj\n");
        }
        let table = file.len();
        file.extend_from_slice(format!("xref\n0 {}\n0000000000 65535 f \n", offsets.len() + 1).as_bytes());
        for offset in &offsets {
            file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
        }
        let trailer = format!(
            "trailer\n<< /Size {} /Root 1 0 R {} >>\nstartxref\n{table}\n%%EOF\n",
            offsets.len() + 1,
            self.trailer
        );
        file.extend_from_slice(trailer.as_bytes());
        file
    }
}
