# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Manual pages (section 3) of the calls that no page in man/ names, out of the comments of the public headers.
#
#	awk -v out=DIR -v have="NAME NAME ..." -f pages.awk include/pnic.h include/pnic_embedded.h
#
# A call without a comment of its own stands in the page of the one before it.

BEGIN {
	n = split(have, names, " ")
	for (i = 1; i <= n; i++)
		known[names[i]] = 1
}

# Text for roff: no line may begin with a dot or a quote.
function roff(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	sub(/^[.']/, "\\\\\\&&", s)
	return s
}

function header() {
	h = FILENAME
	sub(/.*\//, "", h)
	return h
}

function begin_page(name, summary) {
	page = out "/" name ".3"
	printf ".TH %s 3 \"\" \"libpnic 1.0\" \"pnic\"\n.SH NAME\n%s \\- %s\n.SH SYNOPSIS\n.nf\n.B #include <%s>\n.PP\n%s\n.fi\n.SH DESCRIPTION\n",
		toupper(name), name, roff(summary), header(), roff(proto) > page
}

function body(  i, line, arg) {
	for (i = 2; i <= lines; i++) {
		line = text[i]
		if (line == "") {
			print ".PP" > page
		} else if (line ~ /^@[a-z0-9_]+:/) {
			arg = line
			sub(/:.*/, "", arg)
			sub(/^@[a-z0-9_]+: */, "", line)
			printf ".TP\n.I %s\n%s\n", substr(arg, 2), roff(line) > page
		} else {
			sub(/^[ \t]+/, "", line)
			print roff(line) > page
		}
	}
	print ".SH SEE ALSO\n.BR pnic (7)" > page
	close(page)
}

function call(  name, title, dash) {
	name = proto
	sub(/\(.*/, "", name)
	sub(/.*[ *]/, "", name)
	if (name !~ /^pnic_[a-z0-9]/ || name ~ /^pnic__/)
		return
	title = text[1]
	if (lines && index(title, name " - ") == 1) {
		last = name
		if (!(name in known)) {
			begin_page(name, substr(title, length(name) + 4))
			body()
		}
	} else if (!(name in known) && last != "") {
		print ".so man3/" last ".3" > (out "/" name ".3")
		close(out "/" name ".3")
	}
	known[name] = 1
}

/^\/\*\*/ {
	lines = 0
	inside = 1
	sub(/^\/\*\* ?/, "")
	if ($0 == "")
		next
	closed = sub(/ ?\*\/.*/, "")
	text[++lines] = $0
	if (closed)
		inside = 0
	next
}

inside && /^ \*\// {
	inside = 0
	next
}

inside && /\*\// {
	inside = 0
	sub(/^ \* ?/, "")
	sub(/ ?\*\/.*/, "")
	if ($0 != "" && $0 != " ")
		text[++lines] = $0
	next
}

inside {
	sub(/^ \* ?/, "")
	text[++lines] = $0
	next
}

# A call begins a line and is neither a macro, a struct nor inside of anything.
/^[a-z].*\(/ && !/^typedef/ {
	proto = $0
	while (proto !~ /[;{]$/ && proto !~ /\)$/ && (getline more) > 0)
		proto = proto " " more
	gsub(/[ \t]+/, " ", proto)
	sub(/^static inline /, "", proto)
	sub(/ *[;{]?$/, ";", proto)
	call()
	lines = 0
	next
}

/^(struct|enum|#define)/ {
	lines = 0
}
