using CsCheck;
using Voice.Load.Drills.People;
using Xunit;

namespace Voice.Tests.Load.Drills;

public class NonceAuditTests
{
    [Fact]
    public void Other_bytes_under_a_used_nonce_are_a_reuse_and_the_same_bytes_a_double() =>
        Gen.Select(Gen.ULong[0, 2], Gen.ULong[0, 600], Gen.Byte[0, 2]).Array[0, 300].Sample(packets =>
        {
            var audit = new NonceAudit();
            var first = new Dictionary<(ulong, ulong), byte>();
            var (doubled, reused) = (0, 0);
            foreach (var (space, nonce, content) in packets)
            {
                audit.Take(space, nonce, [content, 1, 2, 3]);
                if (first.TryAdd((space, nonce), content)) continue;
                if (first[(space, nonce)] == content) doubled++;
                else reused++;
            }

            Assert.Equal((packets.Length, doubled, reused), ((int)audit.Packets, (int)audit.Doubled, (int)audit.Reused));
        });
}
