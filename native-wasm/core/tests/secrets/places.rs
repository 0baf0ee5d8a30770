//! Realistic texts with a place for a secret.

/// Files with a place for a secret that stands alone.
const FILES: &[(&str, &str)] = &[
    ("app.ts", "import { connect } from './db.ts';\n\nexport const client = connect({ retries: 3, auth: 'PLANT' });\n"),
    ("app.py", "import os\n\ndef main():\n    client = Client(\"PLANT\", timeout=30)\n    return client.run()\n"),
    ("main.go", "package main\n\nfunc main() {\n\tclient := api.New(\"PLANT\")\n\tdefer client.Close()\n}\n"),
    ("lib.rs", "fn main() -> Result<(), Error> {\n    let client = Client::new(\"PLANT\")?;\n    client.run()\n}\n"),
    (
        "App.java",
        "class App {\n    private static final String A = \"PLANT\";\n    void run() { new Client(A).call(); }\n}\n",
    ),
    ("config.yaml", "service:\n  replicas: 2\n  auth: PLANT\n  image: registry.example.org/web:1.4.2\n"),
    ("config.json", "{\n  \"retries\": 3,\n  \"auth\": \"PLANT\",\n  \"hosts\": [\"a.example.org\"]\n}\n"),
    (".env", "LOG_LEVEL=debug\nAUTH=PLANT\nPORT=8080\n"),
    ("run.sh", "#!/bin/sh\nset -e\ncurl -sS -H \"X-Auth: PLANT\" https://api.example.org/v1/jobs\n"),
    ("main.tf", "provider \"x\" {\n  region = \"eu-1\"\n  auth   = \"PLANT\"\n}\n"),
    ("build.log", "2026-01-02T03:04:05Z INFO starting\n2026-01-02T03:04:06Z DEBUG header=PLANT status=200\nok\n"),
    ("event.json", "{\"level\":\"info\",\"msg\":\"line one\\nPLANT\\nline three\"}\n"),
    ("colour.log", "\u{1b}[32mok\u{1b}[0m \u{1b}[1mPLANT\u{1b}[0m\n"),
    ("README.md", "# Use\n\nRun it with `PLANT` and see.\n"),
];

/// Files with a place for a line of its own, for what is more than the secret.
const LINES: &[(&str, &str)] = &[
    ("setup.txt", "# how it is set up\nPLANT\n# and more\n"),
    ("job.yaml", "steps:\n  - run: make\n\nPLANT\n\n  - run: make test\n"),
    ("trace.log", "one\ntwo\nPLANT\nthree\n"),
];

/// Name and text of the files that an example fits into, with `PLANT` where it goes.
pub fn places(template: &str) -> &'static [(&'static str, &'static str)] {
    let stands_alone =
        template.starts_with('‹') && template.trim_end_matches("{nl}").ends_with('›') && !template.contains("{pem");
    if stands_alone { FILES } else { LINES }
}
