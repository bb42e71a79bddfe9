"""Prints "PASSED FAILED SKIPPED" of the JUnit reports that ctest and pytest write."""
import sys
import xml.etree.ElementTree as ElementTree

passed = failed = skipped = 0
for report in sys.argv[1:]:
    for case in ElementTree.parse(report).iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            skipped += 1
        else:
            passed += 1
print(passed, failed, skipped)
