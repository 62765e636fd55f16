/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XML of domains: vmheat goes in, and leaves nothing behind when it goes out.
 */
#include <string.h>

#include <libxml/c14n.h>
#include <libxml/parser.h>

#include "libvirt/domain-xml.h"

#define PLUGIN "/usr/lib/qemu/vmheat.so"
#define DEVICE "vmheat,id=heat0"
#define HEAD "<domain type='kvm'>\n  <name>g</name>\n"
#define HEAD_NS                                                  \
    "<domain type='kvm' "                                        \
    "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n" \
    "  <name>g</name>\n"
#define MEMORY "  <memory unit='MiB'>256</memory>\n"
#define TAIL "  <os><type arch='x86_64'>hvm</type></os>\n</domain>\n"
#define ARG(x) "<qemu:arg value='" x "'/>"

/* Domains that can be enabled. */
static const struct {
    const char *name, *xml;
} domains[] = {
    { "plain", HEAD MEMORY TAIL },
    { "nothing", "<domain type='qemu'/>" },
    { "declaration", "<?xml version='1.0'?>\n<!-- a comment -->\n" HEAD MEMORY
                     "  <currentMemory unit='MiB'>128</currentMemory>\n" TAIL },
    { "hugepages",
      HEAD MEMORY "  <memoryBacking>\n    <hugepages/>\n    <locked/>\n"
                  "  </memoryBacking>\n" TAIL },
    { "empty-backing", HEAD MEMORY "  <memoryBacking/>\n" TAIL },
    { "nosharepages",
      HEAD MEMORY "  <memoryBacking><nosharepages/></memoryBacking>\n" TAIL },
    { "anonymous", HEAD MEMORY
      "  <memoryBacking><source type='anonymous'/><access mode='private'/>"
      "<allocation mode='immediate'/></memoryBacking>\n" TAIL },
    { "file", HEAD MEMORY "  <memoryBacking><source type='file'/>"
                          "</memoryBacking>\n" TAIL },
    { "file-shared", HEAD MEMORY
      "  <memoryBacking><source type='file'/><access mode='shared'/>"
      "</memoryBacking>\n" TAIL },
    { "memfd-shared", HEAD MEMORY
      "  <memoryBacking><source type='memfd'/><access mode='shared'/>"
      "</memoryBacking>\n" TAIL },
    { "numa",
      HEAD MEMORY "  <cpu><numa>\n    <cell id='0' cpus='0' memory='128' "
                  "memAccess='private'/>\n    <cell id='1' memory='64' "
                  "memAccess='shared'/>\n    <cell id='2' memory='64'/>\n"
                  "  </numa></cpu>\n" TAIL },
    { "metadata",
      HEAD "  <metadata><a:b xmlns:a='urn:other'>text</a:b></metadata>\n" MEMORY
          TAIL },
    { "empty-metadata", HEAD "  <metadata/>\n" MEMORY TAIL },
    { "commandline", HEAD_NS MEMORY TAIL },
    { "own-args",
      HEAD_NS MEMORY "  <qemu:commandline>\n    " ARG("-device") "\n    " ARG(
          "edu") "\n"
                 "    <qemu:env name='A' value='b'/>\n  "
                 "</qemu:commandline>\n" TAIL },
    { "empty-commandline", HEAD_NS MEMORY "  <qemu:commandline/>\n" TAIL },
    { "other-prefix",
      "<domain type='kvm' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
      "<q:commandline><q:arg value='-S'/></q:commandline></domain>" },
    { "local-prefix",
      "<domain type='kvm'><qemu:commandline "
      "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>" ARG(
          "-S") "</qemu:commandline></domain>" },
    { "taken-prefix", "<domain type='kvm' xmlns:qemu='urn:other'>"
                      "<metadata><qemu:x/></metadata></domain>" },
    { "default-namespace",
      "<domain type='kvm'><commandline "
      "xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-S'/>"
      "</commandline></domain>" },
    { "words", HEAD MEMORY "  <title>&lt;\xc3\xa4 &amp; b&gt;</title>\n"
                           "  <description><![CDATA[<x>]]></description>\n"
                           "  <?pi data?>\n" TAIL },
};

/* NULL: C14N does not take it, a namespace that is no URI for one. */
static char *canonical(const char *xml)
{
    xmlDoc *doc = xmlReadMemory(xml, strlen(xml), "x", NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR |
                                    XML_PARSE_NOWARNING);
    xmlChar *text = NULL;
    char *copy = NULL;

    g_assert_nonnull(doc);
    if (xmlC14NDocDumpMemory(doc, NULL, XML_C14N_1_0, NULL, 1, &text) > 0) {
        copy = g_strdup((char *)text);
    }
    xmlFree(text);
    xmlFreeDoc(doc);
    return copy;
}

static void assert_same(const char *a, const char *b)
{
    g_autofree char *x = canonical(a);
    g_autofree char *y = canonical(b);

    g_assert_nonnull(x);
    g_assert_cmpstr(x, ==, y);
}

static char *enable(const char *xml, const char *device)
{
    g_autoptr(GError) error = NULL;
    char *out = vh_domain_xml_enable(xml, PLUGIN, device, &error);

    g_assert_no_error(error);
    g_assert_nonnull(out);
    return out;
}

static char *disable(const char *xml)
{
    g_autoptr(GError) error = NULL;
    char *out = vh_domain_xml_disable(xml, &error);

    g_assert_no_error(error);
    g_assert_nonnull(out);
    return out;
}

static VhDomainXml *show(const char *xml)
{
    g_autoptr(GError) error = NULL;
    VhDomainXml *x = vh_domain_xml_show(xml, &error);

    g_assert_no_error(error);
    g_assert_nonnull(x);
    return x;
}

static void assert_has(const char *xml, const char *text)
{
    if (!strstr(xml, text)) {
        g_test_message("no '%s' in: %s", text, xml);
        g_test_fail();
    }
}

static void test_there_and_back(gconstpointer opaque)
{
    const char *xml = opaque;
    g_autofree char *with = enable(xml, DEVICE);
    g_autofree char *again = enable(with, DEVICE);
    g_autofree char *other = enable(with, DEVICE ",primitive=trap");
    g_autofree char *without = disable(with);
    g_autofree char *other_without = disable(other);
    g_autofree char *twice = disable(without);
    g_autoptr(VhDomainXml) before = show(xml);
    g_autoptr(VhDomainXml) x = show(with);
    g_autoptr(VhDomainXml) changed = show(other);
    g_autoptr(VhDomainXml) after = show(without);

    g_assert_cmpint(before->state, ==, VH_HEAT_NONE);
    g_assert_cmpint(x->state, ==, VH_HEAT_ENABLED);
    g_assert_cmpstr(x->plugin, ==, PLUGIN);
    g_assert_cmpstr(x->device, ==, DEVICE);
    g_assert_cmpstr(x->private_reason, ==, NULL);
    g_assert_cmpstr(changed->device, ==, DEVICE ",primitive=trap");
    g_assert_cmpint(after->state, ==, VH_HEAT_NONE);
    g_assert_cmpstr(after->private_reason, ==, before->private_reason);
    assert_same(with, again);
    assert_same(without, xml);
    assert_same(other_without, xml);
    assert_same(twice, xml);
}

/* What else is in memoryBacking stays; what is good enough is not changed. */
static void test_backing(void)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        { "<hugepages/><locked/>",
          "<hugepages/><locked/><access mode=\"shared\"/>" },
        { "<source type='file'/>",
          "<source type=\"file\"/><access mode=\"shared\"/>" },
        { "<source type='file'/><access mode='shared'/>",
          "<source type=\"file\"/><access mode=\"shared\"/>" },
        { "<source type='anonymous'/><access mode='private'/>",
          "<source type=\"memfd\"/><access mode=\"shared\"/>" },
        { "<nosharepages/>", "<nosharepages/><source type=\"memfd\"/>"
                             "<access mode=\"shared\"/>" },
        { "<hugepages/><source type='anonymous'/>",
          "<hugepages/><source type=\"memfd\"/><access mode=\"shared\"/>" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strconcat(HEAD "<memoryBacking>", cases[i].in,
                                           "</memoryBacking>" TAIL, NULL);
        g_autofree char *expected = g_strconcat("<memoryBacking>", cases[i].out,
                                                "</memoryBacking>", NULL);
        g_autofree char *with = enable(xml, DEVICE);
        g_autofree char *without = disable(with);

        assert_has(with, expected);
        assert_same(without, xml);
    }
}

static void test_reasons(void)
{
    static const struct {
        const char *xml, *reason;
    } cases[] = {
        { HEAD TAIL, "guest memory is anonymous" },
        { HEAD "<memoryBacking><source type='memfd'/></memoryBacking>" TAIL,
          "access to guest memory is private" },
        { HEAD "<memoryBacking><source type='memfd'/><access mode='shared'/>"
               "</memoryBacking><cpu><numa><cell/><cell memAccess='private'/>"
               "</numa></cpu>" TAIL,
          "memory of NUMA cell 1 is private" },
        { HEAD "<memoryBacking><source type='memfd'/></memoryBacking><cpu>"
               "<numa><cell memAccess='shared'/></numa></cpu>" TAIL,
          NULL },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VhDomainXml) x = show(cases[i].xml);

        g_assert_cmpstr(x->private_reason, ==, cases[i].reason);
    }
}

/* Replaces the first @from in @xml. */
static char *edit(const char *xml, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(xml, from, 2);

    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    return g_strjoinv(to, parts);
}

/* What the user changed since is the user's. */
static void test_changed_since(void)
{
    g_autofree char *with = enable(HEAD MEMORY TAIL, DEVICE);
    g_autofree char *file = edit(with, "type=\"memfd\"", "type=\"file\"");
    g_autofree char *huge =
        edit(file, "<memoryBacking>", "<memoryBacking><hugepages/>");
    g_autofree char *args = edit(huge, "</qemu:commandline>",
                                 "<qemu:arg value=\"-S\"/></qemu:commandline>");
    g_autofree char *own =
        edit(args, "vmheat,id=heat0", "vmheat,id=h,paused=on");
    g_autofree char *without = disable(own);

    assert_has(without, "<memoryBacking><hugepages/><source type=\"file\"/>"
                        "</memoryBacking>");
    assert_has(without, "<qemu:commandline><qemu:arg value=\"-S\"/>"
                        "</qemu:commandline>");
    assert_has(without, "xmlns:qemu=");
    g_assert_null(strstr(without, "vmheat"));
}

static void assert_refused(const char *xml, const char *sentence)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(vh_domain_xml_enable(xml, PLUGIN, DEVICE, &error));
    g_assert_error(error, VH_DOMAIN_XML_ERROR, VH_DOMAIN_XML_ERROR_REFUSED);
    assert_has(error->message, sentence);
}

#define BY_HAND(option, value)               \
    HEAD_NS "<qemu:commandline>" ARG(option) \
        ARG(value) "</qemu:commandline>" TAIL

static void test_by_hand(void)
{
    static const char *const xmls[] = {
        BY_HAND("-device", "vmheat"),
        BY_HAND("-device", "vmheat,id=x"),
        BY_HAND("--device", "id=x,driver=vmheat"),
        BY_HAND("-device", "{\"driver\":\"vmheat\"}"),
        BY_HAND("-plugin", "/opt/vmheat.so"),
        BY_HAND("-plugin", "file=/opt/vmheat.so,a=b"),
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(xmls); i++) {
        g_autoptr(VhDomainXml) x = show(xmls[i]);
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(x->state, ==, VH_HEAT_BY_HAND);
        assert_refused(xmls[i], "was added by hand");
        g_assert_null(vh_domain_xml_disable(xmls[i], &error));
        assert_has(error->message, "was added by hand");
    }
}

/* What only looks like it. */
static void test_not_by_hand(void)
{
    static const char *const xmls[] = {
        BY_HAND("-device", "vmheater,id=vmheat"),
        BY_HAND("-name", "vmheat"),
        BY_HAND("vmheat", "-device"),
        BY_HAND("-plugin", "/opt/not-vmheat.so"),
        BY_HAND("-device", "{\"driver\":\"edu\",\"id\":\"vmheat\"}"),
        BY_HAND("-device", "{ broken"),
        HEAD "<commandline><arg value='-device'/><arg value='vmheat'/>"
             "</commandline>" TAIL,
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(xmls); i++) {
        g_autoptr(VhDomainXml) x = show(xmls[i]);

        g_assert_cmpint(x->state, ==, VH_HEAT_NONE);
        test_there_and_back(xmls[i]);
    }
}

static void test_second(void)
{
    g_autofree char *with = enable(HEAD MEMORY TAIL, DEVICE);
    g_autofree char *two = edit(with, "</qemu:commandline>",
                                "<qemu:arg value=\"-device\"/><qemu:arg "
                                "value=\"vmheat\"/></qemu:commandline>");
    g_autofree char *none = edit(with, "-device", "-name");
    g_autofree char *none_out = disable(none);
    g_autoptr(VhDomainXml) x = show(two);
    g_autoptr(VhDomainXml) y = show(none);

    g_assert_cmpint(x->state, ==, VH_HEAT_BROKEN);
    g_assert_cmpint(y->state, ==, VH_HEAT_BROKEN);
    assert_refused(two, "a second vmheat");
    /* half of it is gone: the rest can go, and what replaced it stays */
    assert_has(none_out, "-name");
}

static void test_kinds(void)
{
    assert_refused("<domain type='xen'/>", "of type 'xen'");
    assert_refused("<domain/>", "of type ''");
    assert_refused("<domain type='kvm'><os><type arch='aarch64'/></os>"
                   "</domain>",
                   "aarch64");
}

static void assert_broken(const char *xml)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(vh_domain_xml_show(xml, &error));
    g_assert_error(error, VH_DOMAIN_XML_ERROR, VH_DOMAIN_XML_ERROR_BROKEN);
}

static void test_broken(void)
{
    assert_broken("");
    assert_broken("nonsense");
    assert_broken("<domain");
    assert_broken("<domain type='kvm'></network>");
    assert_broken("<network/>");
    assert_broken("<domain type='kvm'><qemu:commandline/></domain>");
    assert_broken("<domain xmlns='urn:x' type='kvm'/>");
    assert_broken("<!DOCTYPE d [<!ENTITY a '&b;'><!ENTITY b '&a;'>]>"
                  "<domain type='&a;'/>");
}

/* Whatever comes: no crash, and what can be enabled can be disabled. */
static void try_all(const char *xml)
{
    g_autofree char *with = vh_domain_xml_enable(xml, PLUGIN, DEVICE, NULL);
    g_autofree char *pretty = vh_domain_xml_pretty(xml, NULL);
    g_autoptr(VhDomainXml) x = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *without = NULL;
    g_autofree char *same = NULL;

    x = vh_domain_xml_show(xml, &error);
    g_assert((x == NULL) == (error != NULL));
    if (with) {
        without = disable(with);
        same = x->state == VH_HEAT_NONE ? canonical(xml) : NULL;
        if (same) {
            assert_same(without, xml);
        }
    }
}

static void test_garbage(void)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);

    for (unsigned i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *with = enable(domains[i].xml, DEVICE);
        size_t len = strlen(with);

        for (size_t cut = 0; cut < len; cut++) {
            g_autofree char *part = g_strndup(with, cut);

            try_all(part);
        }
        for (int n = 0; n < 500; n++) {
            g_autofree char *bad = g_strdup(with);

            for (int k = g_rand_int_range(rand, 1, 4); k > 0; k--) {
                bad[g_rand_int_range(rand, 0, len)] =
                    "<>/='\" &;:x"[g_rand_int_range(rand, 0, 11)];
            }
            try_all(bad);
        }
    }
}

static void be_quiet(void *opaque, const char *format, ...)
{
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    xmlInitParser();
    xmlSetGenericErrorFunc(NULL, be_quiet);
    for (unsigned i = 0; i < G_N_ELEMENTS(domains); i++) {
        g_autofree char *path =
            g_strconcat("/domain-xml/", domains[i].name, NULL);

        g_test_add_data_func(path, domains[i].xml, test_there_and_back);
    }
    g_test_add_func("/domain-xml/backing", test_backing);
    g_test_add_func("/domain-xml/reasons", test_reasons);
    g_test_add_func("/domain-xml/changed-since", test_changed_since);
    g_test_add_func("/domain-xml/by-hand", test_by_hand);
    g_test_add_func("/domain-xml/not-by-hand", test_not_by_hand);
    g_test_add_func("/domain-xml/second", test_second);
    g_test_add_func("/domain-xml/kinds", test_kinds);
    g_test_add_func("/domain-xml/broken", test_broken);
    g_test_add_func("/domain-xml/garbage", test_garbage);
    return g_test_run();
}
