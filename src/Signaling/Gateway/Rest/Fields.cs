using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Voice.Protocol;
using Voice.Protocol.Gateway;

namespace Voice.Signaling.Gateway.Rest;

/// <summary>Reads bodies in which an absent field means "as it was", and null may be a value.</summary>
internal static class Fields
{
    public static IResult Wrong => RestError.BadRequest("a field has the wrong type");

    public static bool TryRead<T>(JsonElement body, Func<JsonElement, T> read, [NotNullWhen(true)] out T? result)
        where T : class
    {
        try
        {
            result = read(body);
            return true;
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or JsonException or KeyNotFoundException)
        {
            result = null;
            return false;
        }
    }

    /// <summary>Null if it is absent or null.</summary>
    public static bool? Bool(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.GetBoolean() : null;

    /// <summary>A string or a number (protocol/gateway.md section 4), or null.</summary>
    public static Snowflake? Id(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null ? null : value.Deserialize(GatewayJson.Default.Snowflake);
}
