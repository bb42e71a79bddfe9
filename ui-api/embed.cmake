# Writes OUT, C source that defines `const char NAME[]`: the text of SOURCE.
# -DSOURCE=FILE -DNAME=NAME -DOUT=FILE
file(READ ${SOURCE} text)
string(REPLACE "\\" "\\\\" text "${text}")
string(REPLACE "\"" "\\\"" text "${text}")
string(REPLACE "\n" "\\n\"\n\t\"" text "${text}")
file(WRITE ${OUT} "extern const char ${NAME}[];\nconst char ${NAME}[] =\n\t\"${text}\";\n")
