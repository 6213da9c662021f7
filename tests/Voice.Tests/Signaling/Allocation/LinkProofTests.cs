using System.Security.Cryptography;
using Voice.Signaling;
using Xunit;

namespace Voice.Tests.Signaling.Allocation;

public class LinkProofTests
{
    private static readonly byte[] Secret = "a secret of the whole cluster"u8.ToArray();
    private static readonly byte[] NodeNonce = LinkProof.NewNonce();
    private static readonly byte[] GatewayNonce = LinkProof.NewNonce();
    private static readonly byte[] Certificate = SHA256.HashData([1]);
    private static readonly byte[] Expected = LinkProof.OfNode(Secret, NodeNonce, GatewayNonce, Certificate);

    [Fact]
    public void Both_sides_agree() =>
        Assert.True(LinkProof.Matches(Expected, LinkProof.OfNode(Secret, NodeNonce, GatewayNonce, Certificate)));

    [Fact]
    public void Covers_secret_side_nonces_and_certificate()
    {
        Assert.False(LinkProof.Matches(Expected, LinkProof.OfGateway(Secret, NodeNonce, GatewayNonce, Certificate)));
        Assert.False(LinkProof.Matches(Expected, LinkProof.OfNode([.. Secret, 1], NodeNonce, GatewayNonce, Certificate)));
        Assert.False(LinkProof.Matches(Expected, LinkProof.OfNode(Secret, LinkProof.NewNonce(), GatewayNonce, Certificate)));
        Assert.False(LinkProof.Matches(Expected, LinkProof.OfNode(Secret, NodeNonce, LinkProof.NewNonce(), Certificate)));
        Assert.False(LinkProof.Matches(Expected, LinkProof.OfNode(Secret, NodeNonce, GatewayNonce, SHA256.HashData([2]))));
    }

    [Fact]
    public void Short_or_missing_proofs_do_not_match()
    {
        Assert.False(LinkProof.Matches(Expected, null));
        Assert.False(LinkProof.Matches(Expected, []));
        Assert.False(LinkProof.Matches(Expected, Expected[..31]));
    }
}
