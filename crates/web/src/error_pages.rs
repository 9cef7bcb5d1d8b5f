//! The pages of the error codes as HTML. They are written in the little Markdown that is read here: headings,
//! paragraphs, lists, code blocks and `code`.

use crate::codes::Code;

/// The page of a code.
pub fn html(code: Code) -> String {
    let mut body = String::from("<p><a href=\"/docs/errors\">Todos los códigos</a></p>\n");
    markdown(code.page(), &mut body);
    frame(code.text(), &body)
}

/// The list of all codes.
pub fn index() -> String {
    let mut body = String::from("<p><a href=\"/docs\">La API</a></p>\n<h1>Códigos de error</h1>\n<table>\n");
    for code in Code::ALL {
        let (status, address, text, title) = (
            code.status().as_u16(),
            code.page_address(),
            code.text(),
            code.title(),
        );
        body.push_str(&format!(
            "<tr><td>{status}</td><td><a href=\"{address}\">{text}</a></td><td>{title}</td></tr>\n"
        ));
    }
    body.push_str("</table>\n");
    frame("Códigos de error", &body)
}

fn frame(title: &str, body: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"es\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{title} · EventFlow</title><link rel=\"stylesheet\" href=\"/docs/app.css\"></head>\n\
         <body><main class=\"page\">\n{body}</main></body></html>\n"
    )
}

fn markdown(text: &str, html: &mut String) {
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("```") {
            html.push_str("<pre>");
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                html.push_str(&escaped(code));
                html.push('\n');
            }
            html.push_str("</pre>\n");
        } else if let Some(heading) = line.strip_prefix("## ") {
            html.push_str(&format!("<h2>{}</h2>\n", inline(heading)));
        } else if let Some(heading) = line.strip_prefix("# ") {
            html.push_str(&format!("<h1>{}</h1>\n", inline(heading)));
        } else if let Some(item) = line.strip_prefix("- ") {
            html.push_str(&format!("<ul><li>{}</li>", inline(item)));
            while let Some(item) = lines.next_if(|line| line.starts_with("- ")) {
                html.push_str(&format!("<li>{}</li>", inline(&item[2..])));
            }
            html.push_str("</ul>\n");
        } else if !line.is_empty() {
            let mut paragraph = line.to_owned();
            while let Some(more) = lines.next_if(|line| !line.is_empty()) {
                paragraph.push(' ');
                paragraph.push_str(more);
            }
            html.push_str(&format!("<p>{}</p>\n", inline(&paragraph)));
        }
    }
}

/// Every second part between backticks is code.
fn inline(text: &str) -> String {
    let mut html = String::new();
    for (index, part) in text.split('`').enumerate() {
        match index % 2 {
            0 => html.push_str(&escaped(part)),
            _ => html.push_str(&format!("<code>{}</code>", escaped(part))),
        }
    }
    html
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_little_markdown_becomes_html_and_nothing_slips_through() {
        let mut html = String::new();
        markdown(
            "# A `b`\n\nx <y>\nz\n\n- 1\n- 2\n\n```json\n{\"a\": 1}\n```\n",
            &mut html,
        );
        assert_eq!(
            html,
            "<h1>A <code>b</code></h1>\n<p>x &lt;y&gt; z</p>\n<ul><li>1</li><li>2</li></ul>\n\
             <pre>{&quot;a&quot;: 1}\n</pre>\n"
        );
    }
}
