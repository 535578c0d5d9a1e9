"""Reads every manifest of deploy/ with a real YAML parser and checks what the job relies on."""

import pathlib
import re
import sys

import yaml

root = pathlib.Path(__file__).resolve().parents[2]
readme = (root / "README.md").read_text()
known = {0, 1, 2, 3, 4, 10, 11, 75, 130}
documented = {int(code) for code in re.findall(r"\b\d+\b", readme[readme.index("| exit code |"):][:900])}
assert known <= documented, known - documented

manifests = sorted((root / "deploy").glob("*.yaml"))
assert manifests
for path in manifests:
    for job in yaml.safe_load_all(path.read_text()):
        spec = job["spec"]
        assert spec["completionMode"] == "Indexed" and spec["podReplacementPolicy"] == "Failed"
        pod = spec["template"]["spec"]
        assert pod["restartPolicy"] == "Never", "podFailurePolicy allows nothing else"
        assert pod["terminationGracePeriodSeconds"] > 25 + 10
        names = {container["name"] for container in pod["containers"]}
        seen = {}
        for rule in spec["podFailurePolicy"]["rules"]:
            codes = rule.get("onExitCodes")
            if codes is None:
                continue
            assert codes["containerName"] in names
            for code in codes["values"]:
                assert code in known and code not in seen, code
                seen[code] = rule["action"]
        assert seen == {1: "Count", 75: "Count", 130: "Count", 2: "FailIndex", 3: "FailIndex", 4: "FailIndex"}
        args = pod["containers"][0]["args"]
        assert args[args.index("--shard") + 1] == f"auto/{spec['completions']}"
print(f"{len(manifests)} manifest(s) checked", file=sys.stderr)
